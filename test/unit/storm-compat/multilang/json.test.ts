import test from 'ava'
import fc from 'fast-check'
import { EngineError } from 'gearpump/spi'
import { Double } from '../../../../storm-compat/component/values.ts'
import {
  DEPTH_MAX,
  JsonError,
  parseJson,
  writeJson,
} from '../../../../storm-compat/multilang/json.ts'
import { parseLossless } from '../../../../storm-compat/multilang/json-lossless.ts'
import '../../seed.ts'

test('P2: numbers keep their type and their digits', t => {
  t.deepEqual(parseJson('[1, 1.0, 1e3, -2.00, 0.0, 1.5, 9007199254740991, 9007199254740993]'), [
    1,
    new Double(1),
    new Double(1000),
    new Double(-2),
    new Double(0),
    1.5,
    9007199254740991,
    9007199254740993n,
  ])
  t.is(parseJson('-123456789012345678901234567890'), -123456789012345678901234567890n)
  t.is(parseJson('1e300'), 1e300, 'beyond the safe integers a plain number is a float')
  t.deepEqual(parseJson('[NaN,Infinity,-Infinity,1e400]'), [
    Number.NaN,
    Infinity,
    -Infinity,
    Infinity,
  ])
})

test('numbers and brackets within strings change nothing', t => {
  for (const text of ['at 12:1e5', ' 1.0', '[12345678901234567890]', ': NaN', '[[[{{{']) {
    t.is(parseJson(JSON.stringify(text)), text)
  }
})

test('text that is no JSON is told as such, by both ways of reading', t => {
  for (const text of [
    '',
    '01',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '[1.]',
    'nul',
    '"a',
    '"a\u0001"',
    '[1] 2',
    "{'a':1}",
    '-',
  ]) {
    for (const parse of [parseJson, parseLossless]) {
      t.is(t.throws(() => parse(text), { instanceOf: JsonError }, text).kind, 'syntax')
    }
  }
})

test('input 10,000 levels deep is a clear error, not a stack overflow; DEPTH_MAX levels are read', t => {
  for (const parse of [parseJson, parseLossless]) {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = (levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`
      const error = t.throws(() => parse(deep(10_000)), { instanceOf: JsonError })
      t.is(error.message, 'JSON nested deeper than 512 levels')
      t.notThrows(() => parse(deep(DEPTH_MAX)))
    }
  }
})

test('a key named __proto__ is a key', t => {
  for (const text of ['{"__proto__":1}', '{"__proto__":1.0}']) {
    t.true(Object.hasOwn(parseJson(text) as object, '__proto__'))
  }
})

test('P3: Storm escapes slashes and line separators, and writes nulls', t => {
  t.is(writeJson({ a: null, b: 'x/y</a>' }), '{"a":null,"b":"x\\/y<\\/a>"}')
  t.is(
    writeJson('é中😀\u2028\u2029\n\u0007\u0085"\\'),
    '"é中😀\\u2028\\u2029\\n\\u0007\\u0085\\"\\\\"',
  )
  t.is(writeJson('\ud800'), '"\\ud800"')
})

test('P3: floats are written as Java writes them', t => {
  const written: [unknown, string][] = [
    [1, '1'],
    [new Double(1), '1.0'],
    [1.5, '1.5'],
    [new Double(1e10), '1.0E10'],
    [1e300, '1.0E300'],
    [1.25e-7, '1.25E-7'],
    [0.001, '0.001'],
    [new Double(9999999), '9999999.0'],
    [new Double(10000000), '1.0E7'],
    [new Double(-0), '-0.0'],
    [Number.NaN, 'null'],
    [Infinity, 'null'],
    [2n ** 70n, '1180591620717411303424'],
    [undefined, 'null'],
  ]
  for (const [value, text] of written) t.is(writeJson(value), text)
})

test('maps, sets and dates are written as what they stand for', t => {
  t.is(writeJson(new Map([['a', 1]])), '{"a":1}')
  t.is(writeJson(new Set([1, 2])), '[1,2]')
  t.is(writeJson(new Date(0)), '"1970-01-01T00:00:00.000Z"')
  t.is(writeJson({ a: undefined, b: [] }), '{"b":[]}')
})

test('what JSON cannot hold is refused with the reason, and so is a circle', t => {
  const circle: unknown[] = []
  circle.push(circle)
  for (const [value, what] of [
    [Buffer.from('x'), /bytes/],
    [new Uint8Array(1), /bytes/],
    [() => 1, /a function/],
    [Symbol('s'), /a symbol/],
    [circle, /in a circle/],
  ] as const) {
    const error = t.throws(() => writeJson([value]), { instanceOf: EngineError })
    t.is(error.code, 'VALUE_NOT_SERIALISABLE')
    t.regex(error.message, what)
  }
})

const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.maxSafeInteger(),
  fc.bigInt().filter(n => !Number.isSafeInteger(Number(n))),
  fc.maxSafeInteger().map(n => new Double(n)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter(n => !Number.isSafeInteger(n)),
  fc.boolean(),
  fc.constant(null),
)
const { tree } = fc.letrec(tie => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('tree')),
    fc.dictionary(fc.string(), tie('tree'), { noNullPrototype: true }),
  ),
}))

test('what is written is read back the same, by both ways of reading', t => {
  fc.assert(
    fc.property(tree, value => {
      const text = writeJson(value)
      t.false(/[\n\r]/.test(text))
      t.deepEqual(parseLossless(text), value)
      t.deepEqual(parseJson(text), value)
      t.deepEqual(
        parseJson(JSON.stringify(JSON.parse(text))),
        parseLossless(JSON.stringify(JSON.parse(text))),
      )
    }),
    { numRuns: 300 },
  )
})
