// The tables were printed by a JVM (17) with Storm 2.8.1 on its class path: `Object.hashCode`, `Arrays.deepHashCode`,
// and `TupleUtils.chooseTaskIndex` for 7 tasks.
import test from 'ava'
import fc from 'fast-check'
import { Double } from '../../../../storm-compat/component/values.ts'
import {
  fieldsChoice,
  floorMod,
  javaDeepHash,
  javaHash,
} from '../../../../storm-compat/translate/java-hash.ts'
import '../../seed.ts'

type Row = readonly [value: unknown, hash: number, indexOf7: number]

const ROWS: readonly Row[] = [
  [null, 0, 3],
  [true, 1231, 2],
  [false, 1237, 1],
  ['', 0, 3],
  ['a', 97, 2],
  ['word', 3655434, 2],
  ['stream', -891990144, 0],
  ['the quick brown fox', 1302335171, 0],
  ['Zähler', -1504575621, 0],
  ['日本語', 25921943, 1],
  ['\u{1F600}', 1772899, 5],
  ['polygenelubricants', -2147483648, 1],
  ['\u0000\uffff\ud800', 2086881, 2],
  [0, 0, 3],
  [-0, 0, 3],
  [1, 1, 4],
  [-1, -1, 2],
  [2147483647, 2147483647, 0],
  [-2147483648, -2147483648, 1],
  [2147483648, -2147483648, 1],
  [-2147483649, -2147483648, 1],
  [4294967295, -1, 2],
  [-4294967297, 1, 4],
  [9007199254740991, -2097152, 2],
  [-9007199254740991, -2097151, 3],
  [2 ** 53, 1128267776, 2],
  [2 ** 62, 1137704960, 3],
  [-(2 ** 63), -1008730112, 5],
  [1e300, -164130400, 3],
  [0n, 0, 3],
  [1n, 1, 4],
  [-1n, 0, 3],
  [-2147483648n, 2147483647, 0],
  [9223372036854775807n, -2147483648, 1],
  [-9223372036854775808n, -2147483648, 1],
  [9223372036854775808n, -2147483648, 1],
  [-9223372036854775809n, 2147483647, 0],
  [123456789012345678901234567890n, 1915528825, 3],
  [-(1n << 96n), -29791, 4],
  [1.5, 1073217536, 2],
  [-1.5, -1074266112, 0],
  [0.1, -1507852285, 1],
  [5e-324, 1, 4],
  [Number.NaN, 2146959360, 3],
  [Number.POSITIVE_INFINITY, 2146435072, 1],
  [Number.NEGATIVE_INFINITY, -1048576, 6],
  [new Double(1), 1072693248, 0],
  [new Double(0), 0, 3],
  [new Double(-0), -2147483648, 1],
  [new Double(3.25), 1074397184, 3],
  [new Double(1e22), 1120740701, 6],
  [[], 1, 4],
  [[1, 'a', null, true], 1047760, 3],
  [[[1, 2], [-3]], 31803, 5],
  [{}, 0, 3],
  [{ a: 1, b: 'two', c: null }, 115441, 0],
  [{ list: [1.5], map: { x: -1 } }, 1070140252, 2],
  [
    new Map<unknown, unknown>([
      [1, 'a'],
      [-1n, 'b'],
      ['k', [2]],
    ]),
    268,
    5,
  ],
  [new Set([1, 'a']), 98, 3],
  [Buffer.from([]), 1, 4],
  [Buffer.from([0, 1, 127, 128, 255]), 28777020, 2],
]

const DEEP_ROWS: readonly (readonly [
  values: readonly unknown[],
  hash: number,
  indexOf7: number,
])[] = [
  [[], 1, 1],
  [['word', 1], 113319416, 0],
  [['user', -1, null], -836003509, 2],
  [['user', -1n, null], -836003478, 5],
  [[Buffer.from('key'), ['a', ['b']]], 4217028, 4],
  [[true, 2.5, { a: 1 }], -1064402482, 4],
]

test('P28 every kind of value hashes as in Java and goes to the task that Storm chooses', t => {
  const choose = fieldsChoice([1], 7)
  for (const [value, hash, index] of ROWS) {
    t.is(javaHash(value), hash, `hash of ${String(value)}`)
    t.is(choose(['other', value]), index, `task of ${String(value)}`)
  }
})

test('P28 several fields hash as in Java and go to the task that Storm chooses', t => {
  for (const [values, hash, index] of DEEP_ROWS) {
    t.is(javaDeepHash(values), hash)
    t.is(fieldsChoice([...values.keys()], 7)(values), index)
  }
})

test('the fields of a grouping are taken in its own order', t => {
  t.is(fieldsChoice([2, 0], 7)([1, 'x', 'word']), 0)
  t.is(fieldsChoice([], 7)(['anything']), 1)
})

test('undefined counts as null, and not at all as a value in an object', t => {
  t.is(javaHash(undefined), 0)
  t.is(javaHash([undefined]), javaHash([null]))
  t.is(javaHash({ a: 1, b: undefined }), javaHash({ a: 1 }))
})

test('a date hashes as the text it travels as', t => {
  const date = new Date(0)
  t.is(javaHash(date), javaHash('1970-01-01T00:00:00.000Z'))
})

test('what Java could not hold is refused', t => {
  t.throws(() => javaHash(() => 1), { code: 'VALUE_NOT_SERIALISABLE', message: /a function/ })
  const loop: unknown[] = []
  loop.push(loop, loop)
  t.throws(() => javaHash(loop), { code: 'VALUE_NOT_SERIALISABLE', message: /nested deeper/ })
})

// The rules of Java's documentation, word for word, in exact integers: slow, and without any of our short ways.
function naiveHash(value: unknown): bigint {
  if (value === null) return 0n
  if (typeof value === 'boolean') return value ? 1231n : 1237n
  if (typeof value === 'string')
    return int(
      fold(
        0n,
        [...Array(value.length).keys()].map(i => BigInt(value.charCodeAt(i))),
      ),
    )
  if (typeof value === 'bigint') return naiveBigint(value)
  if (value instanceof Double) return naiveDouble(value.value)
  if (typeof value === 'number') return naiveNumber(value)
  if (value instanceof Uint8Array)
    return int(
      fold(
        1n,
        [...value].map(byte => BigInt.asIntN(8, BigInt(byte))),
      ),
    )
  if (Array.isArray(value)) return int(fold(1n, value.map(naiveHash)))
  const entries = Object.entries(value as object).map(
    ([key, inner]) => naiveHash(key) ^ naiveHash(inner),
  )
  return int(entries.reduce((sum, hash) => sum + hash, 0n))
}

function naiveNumber(value: number): bigint {
  if (!Number.isSafeInteger(value)) return naiveDouble(value)
  return Math.abs(value + 0.5) < 2 ** 31 ? BigInt(value) : naiveBigint(BigInt(value))
}

function naiveBigint(value: bigint): bigint {
  if (value >= -(2n ** 63n) && value < 2n ** 63n) return longHash(BigInt.asUintN(64, value))
  const words: bigint[] = []
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 32n)
    words.unshift(rest % 2n ** 32n)
  return int(fold(0n, words) * (value < 0n ? -1n : 1n))
}

function naiveDouble(value: number): bigint {
  return longHash(new DataView(Float64Array.of(value).buffer).getBigUint64(0, true))
}

function longHash(bits: bigint): bigint {
  return int(bits ^ (bits >> 32n))
}

function fold(start: bigint, hashes: readonly bigint[]): bigint {
  return hashes.reduce((hash, next) => hash * 31n + next, start)
}

function int(value: bigint): bigint {
  return BigInt.asIntN(32, value)
}

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.double({ noNaN: true }).map(value => new Double(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 140n), max: 2n ** 140n }),
  fc.uint8Array(),
)

const { tree } = fc.letrec(tie => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('tree'), { maxKeys: 5 }),
  ),
}))

test('any value hashes as the rules of Java say', t => {
  fc.assert(
    fc.property(tree, value => t.is(javaHash(value), Number(naiveHash(value)))),
    { numRuns: 1000 },
  )
})

test('any fields choose the index that the rules of Java say', t => {
  fc.assert(
    fc.property(
      fc.array(tree, { maxLength: 4 }),
      fc.integer({ min: 1, max: 65_536 }),
      (values, targets) => {
        const hash = int(fold(1n, values.map(naiveHash)))
        const index = ((hash % BigInt(targets)) + BigInt(targets)) % BigInt(targets)
        t.is(fieldsChoice([...values.keys()], targets)(values), Number(index))
        t.is(floorMod(Number(hash), targets), Number(index))
      },
    ),
    { numRuns: 300 },
  )
})
