import test from 'ava'
import { parseSettings } from '../../../src/cli/settings.ts'

test('a setting is JSON where it is JSON, else text', t => {
  const { config, problems } = parseSettings([
    'topology.workers=2',
    'a=true',
    'b=[1,"x"]',
    'c={"d":null}',
    'e=plain words',
    'f="2"',
    'g=',
    'h=x=y',
  ])
  t.deepEqual(problems, [])
  t.deepEqual(config, {
    'topology.workers': 2,
    a: true,
    b: [1, 'x'],
    c: { d: null },
    e: 'plain words',
    f: '2',
    g: '',
    h: 'x=y',
  })
})

test('the last setting of a key wins', t => {
  t.deepEqual(parseSettings(['a=1', 'a=2']).config, { a: 2 })
})

test('a key named like a part of all objects is only a key', t => {
  const { config } = parseSettings(['__proto__={"a":1}'])
  t.is(config.a, undefined)
  t.deepEqual(Object.keys(config), ['__proto__'])
})

test('all settings that are none are told at once', t => {
  const { problems } = parseSettings(['a', '=1', 'ok=1', 'n=12345678901234567890'])
  t.deepEqual(
    problems.map(p => p.place),
    ['-c a', '-c =1', '-c n=12345678901234567890'],
  )
})
