// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Flux itself writes ${name}.
import test from 'ava'
import fc from 'fast-check'
import { parseProperties, substitute } from '../../../../storm-compat/flux/substitution.ts'
import '../../seed.ts'

const values = (properties: Record<string, string>, env?: Record<string, string>) => ({
  properties: new Map(Object.entries(properties)),
  env,
})

test('P33 every occurrence of a line is replaced and what is unknown stays literal', t => {
  const { text, unknown } = substitute(
    'a: ${x}${x} ${y} ${ENV-HOME}\n# ${z} in a comment\n',
    values({ x: '1' }),
  )
  t.is(text, 'a: 11 ${y} ${ENV-HOME}\n# ${z} in a comment\n')
  t.deepEqual(unknown, [
    { name: 'y', place: '1:13' },
    { name: 'ENV-HOME', place: '1:18' },
  ])
})

test('the environment is read only where that was asked for', t => {
  t.is(substitute('${ENV-A}', values({}, { A: 'b' })).text, 'b')
  t.is(substitute('${ENV-A}', values({ 'ENV-A': 'property' })).text, 'property')
})

test('elements of a list are found, with and without quotes', t => {
  const { text } = substitute('${l[0]} ${l[1]} ${l[2]}', values({ l: '["a b", c]' }))
  t.is(text, 'a b c ${l[2]}')
})

test('a place outside of what was put in is its place in the source', t => {
  const word = fc.constantFrom('a', '\n', '${x}', '${u}', ' ')
  fc.assert(
    fc.property(fc.array(word), fc.string({ maxLength: 9 }), (words, x) => {
      const source = words.join('')
      const { text, place } = substitute(source, values({ x }))
      let offset = 0
      let sourceOffset = 0
      for (const piece of words) {
        const before = source.slice(0, sourceOffset).split('\n')
        const expected = `${before.length}:${before.at(-1)!.length + 1}`
        if (piece !== '${x}' || x !== '') t.is(place(offset), expected)
        sourceOffset += piece.length
        offset += piece === '${x}' ? x.length : piece.length
      }
      t.is(offset, text.length)
    }),
  )
})

test('a Java properties file is read as Java reads it', t => {
  const text = [
    '# comment',
    '! comment',
    'a=1',
    'b : two words ',
    'c three',
    'd\\ e = \\u00e9\\t\\\\',
    'f = one, \\',
    '    two',
    'g',
    '',
  ].join('\r\n')
  t.deepEqual(Object.fromEntries(parseProperties(text)), {
    a: '1',
    b: 'two words ',
    c: 'three',
    'd e': 'é\t\\',
    f: 'one, two',
    g: '',
  })
})
