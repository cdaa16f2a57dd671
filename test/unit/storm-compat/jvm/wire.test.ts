// The values of the protocol with the JVM host: what is written is read again as what it was; types that Java tells apart stay apart.
import test from 'ava'
import fc from 'fast-check'
import { Double } from '../../../../storm-compat/component/values.ts'
import { Frames } from '../../../../storm-compat/jvm/frames.ts'
import { OTHER, TYPE } from '../../../../storm-compat/jvm/host-protocol.ts'
import { JavaValue } from '../../../../storm-compat/jvm/java-value.ts'
import { WireReader } from '../../../../storm-compat/jvm/wire-reader.ts'
import { WireWriter } from '../../../../storm-compat/jvm/wire-writer.ts'
import { javaHash } from '../../../../storm-compat/translate/java-hash.ts'
import '../../seed.ts'

function written(value: unknown, longs = false): Buffer {
  const writer = new WireWriter()
  writer.longs = longs
  writer.value(value)
  return Buffer.from(writer.content)
}

function read(bytes: Buffer): unknown {
  const reader = new WireReader()
  reader.over(bytes, 0, bytes.length)
  const value = reader.value()
  if (reader.more) throw new Error('something is left')
  return value
}

const plain = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 200 }),
    fc.integer(),
    fc.double().filter(number => !Number.isSafeInteger(number) || Object.is(number, -0)),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map(bytes => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map(pairs => new Map(pairs)),
  ),
})).value

test('values come back as they were', t => {
  fc.assert(
    fc.property(plain, value => {
      t.deepEqual(read(written(value)), value)
    }),
    { numRuns: 300 },
  )
})

test('numbers keep the type that they have in Java', t => {
  t.is(written(1)[0], TYPE.INT)
  t.is(written(2 ** 31)[0], TYPE.LONG)
  t.is(written(1, true)[0], TYPE.LONG)
  t.is(written(1n)[0], TYPE.LONG)
  t.is(written(2n ** 63n)[0], TYPE.BIG)
  t.is(written(new Double(1))[0], TYPE.DOUBLE)
  t.is(written(1.5)[0], TYPE.DOUBLE)
  t.is(read(written(-5, true)), -5n)
  t.is(read(written(-(2 ** 40))), -(2n ** 40n))
  t.deepEqual(read(written(new Double(3))), new Double(3))
})

test('what JavaScript has no type for passes through, and shows itself as its number or text', t => {
  const float = new JavaValue(OTHER.FLOAT, 7, '1.5')
  const object = new JavaValue(OTHER.KRYO, 9, 'point 7', Buffer.of(1, 2))
  t.deepEqual(read(written([float, object])), [float, object])
  t.is(JSON.stringify([float, object]), '[1.5,"point 7"]')
  // A fields grouping routes it by the hash that Java has given it.
  t.is(javaHash(object), 9)
})

test('a value without a counterpart, and one that contains itself, are refused', t => {
  const circle: unknown[] = []
  circle.push(circle)
  t.throws(() => written(() => 1), { code: 'VALUE_NOT_SERIALISABLE', message: /a function has no/ })
  t.throws(() => written(circle), { code: 'VALUE_NOT_SERIALISABLE', message: /nested deeper/ })
})

test('bytes that are cut or of no type are refused, whatever they say of lengths', t => {
  t.throws(() => read(Buffer.of(TYPE.LATIN, 5, 65)), { code: 'BUG', message: /a frame ends/ })
  t.throws(() => read(Buffer.of(TYPE.LIST, 0xff, 0xff, 0xff, 0x7f)), { message: /fewer bytes/ })
  t.throws(() => read(Buffer.of(99)), { message: /no value begins with 99/ })
})

test('frames are cut at their lengths, however the bytes come', t => {
  const frames = ['a', 'bcd', 'e'.repeat(300)].map(text => {
    const bytes = Buffer.alloc(4 + text.length, text)
    bytes.writeInt32BE(text.length)
    bytes.write(text, 4)
    return bytes
  })
  const all = Buffer.concat(frames)
  for (const size of [1, 3, 7, 100, all.length]) {
    const got: string[] = []
    const cutter = new Frames((bytes, start, end) => got.push(bytes.toString('latin1', start, end)))
    for (let at = 0; at < all.length; at += size) cutter.push(all.subarray(at, at + size))
    t.deepEqual(got, ['a', 'bcd', 'e'.repeat(300)])
  }
  t.throws(() => new Frames(() => undefined).push(Buffer.alloc(4)), { message: /frame of 0 bytes/ })
})
