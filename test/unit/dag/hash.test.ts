import test from 'ava'
import fc from 'fast-check'
import { hashOf } from '../../../src/dag/partitioner.ts'
import '../seed.ts'

test('strings hash as in Java and small integers are their own hash', t => {
  t.is(hashOf(''), 0)
  t.is(hashOf('hello'), 99_162_322)
  t.is(hashOf(42), 42)
  t.is(hashOf(-1), -1)
})

test('every hash is a 32-bit integer, and a copy has the same one', t => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
      }),
      value => {
        const hash = hashOf(value)
        t.is(hash, hash | 0)
        t.is(hashOf(structuredClone(value)), hash)
      },
    ),
  )
})

test('equal contents in another order of keys hash alike', t => {
  t.is(hashOf({ a: 1, b: [2, 'x'] }), hashOf({ b: [2, 'x'], a: 1 }))
  t.is(
    hashOf(
      new Map([
        [1, 'a'],
        [2, 'b'],
      ]),
    ),
    hashOf(
      new Map([
        [2, 'b'],
        [1, 'a'],
      ]),
    ),
  )
  t.is(hashOf(new Set([1, 2])), hashOf(new Set([2, 1])))
})

test('0 and -0 are one key, and so are all NaNs', t => {
  t.is(hashOf(0), hashOf(-0))
  t.is(hashOf([0]), hashOf([-0]))
  const [otherNaN] = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)
  t.is(hashOf(otherNaN), hashOf(Number.NaN))
})

test('different contents rarely share a hash', t => {
  const values = [
    ...Array.from({ length: 1000 }, (_, i) => i / 7),
    ...Array.from({ length: 1000 }, (_, i) => BigInt(i) << 64n),
    ...Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `n${i}` })),
    ...Array.from({ length: 1000 }, (_, i) => new Date(i * 1000)),
    ...Array.from({ length: 1000 }, (_, i) => Uint16Array.of(i, i + 1)),
  ]
  t.true(new Set(values.map(hashOf)).size > 4900)
  t.not(hashOf({ a: 'b' }), hashOf({ b: 'a' }))
  t.not(hashOf(['a', 'b']), hashOf(['b', 'a']))
})

test('what has no contents counts as null', t => {
  for (const value of [undefined, () => 1, Symbol('s')]) t.is(hashOf(value), hashOf(null))
})

test('a value that contains itself is refused', t => {
  const loop: unknown[] = []
  loop.push(loop, loop)
  t.throws(() => hashOf(loop), { code: 'VALUE_NOT_SERIALISABLE', message: /nested deeper/ })
})
