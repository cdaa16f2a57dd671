import test from 'ava'
import type { Problem } from 'gearpump/spi'
import { parseYaml, toValue } from '../../../../storm-compat/flux/yaml-tree.ts'

function parse(text: string): { value: unknown; problems: Problem[]; notices: string[] } {
  const problems: Problem[] = []
  const notices: string[] = []
  const tree = parseYaml(text, offset => String(offset), problems, notices)
  return { value: tree && toValue(tree), problems, notices }
}

test('values are those of YAML 1.1 as Storm reads it, and large integers stay exact', t => {
  const { value, problems } = parse(
    'a: yes\nb: y\nc: 010\nd: 10_000\ne: 9007199254740993\nf: 2001-01-01\ng: ~\nh:\ni: "7"\n',
  )
  t.deepEqual(problems, [])
  t.deepEqual(value, {
    a: true,
    b: 'y',
    c: 8,
    d: 10000,
    e: 9007199254740993n,
    f: '2001-01-01',
    g: null,
    h: null,
    i: '7',
  })
})

test('aliases and merge keys are expanded', t => {
  const { value } = parse('a: &x {k: 1, j: 1}\nb: {<<: *x, j: 2}\nc: [*x]\n')
  t.deepEqual(value, { a: { k: 1, j: 1 }, b: { k: 1, j: 2 }, c: [{ k: 1, j: 1 }] })
})

test('a key that stands twice has its last value, as in Storm, and a notice', t => {
  const { value, problems, notices } = parse('a: 1\nb: {c: 1, c: 2}\na: 3\n')
  t.deepEqual(problems, [])
  t.deepEqual(value, { a: 3, b: { c: 2 } })
  t.deepEqual(notices, [
    '15: "c" stands twice; this one counts',
    '21: "a" stands twice; this one counts',
  ])
})

test('lines may end in a return alone, and a comment may touch what it follows', t => {
  t.like(parse('a: 1\rb:\r  - x\r'), { value: { a: 1, b: ['x'] }, problems: [] })
  t.like(parse('a: "x"#why\nb: [1]#why\nc: x#y\n'), {
    value: { a: 'x', b: [1], c: 'x#y' },
    problems: [],
  })
})

const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x,x]',
  ...[...'bcdefg'].map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdef'[i]}`).join(',')}]`),
].join('\n')

const harmful: [what: string, text: string, message: RegExp][] = [
  ['an alias that contains itself', 'a: &a [*a]', /contains itself/],
  ['an alias without an anchor', 'a: *b', /no anchor &b/],
  ['a bomb of aliases', bomb, /grows to more than 100000 nodes/],
  ['a million brackets', '['.repeat(1_000_000), /nested more than 64 levels/],
  ['a line of dashes', '- '.repeat(200_000), /nested more than 64 levels/],
  [
    'nested blocks',
    Array.from({ length: 99 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    /nested/,
  ],
  ['a huge file', ' '.repeat((1 << 20) + 1), /more than 1048576 characters/],
  ['a tag', 'a: !!java.io.File x', /tags are not supported/],
  ['two documents', 'a: 1\n---\nb: 2\n', /multiple documents/],
]

for (const [what, text, message] of harmful) {
  test(`${what} is a problem and not a crash`, t => {
    const { value, problems } = parse(text)
    t.is(value, undefined)
    t.regex(problems[0]?.message ?? '', message)
  })
}
