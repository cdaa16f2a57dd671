import test from 'ava'
import fc from 'fast-check'
import { EngineError } from 'gearpump/spi'
import msgpackLite from 'msgpack-lite'
import { Packr } from 'msgpackr'
import { Double } from '../../../../storm-compat/component/values.ts'
import {
  msgpackLiteSerializer,
  msgpackSerializer,
} from '../../../../storm-compat/multilang/msgpack-framing.ts'
import type { Serializer } from '../../../../storm-compat/multilang/wire.ts'
import '../../seed.ts'

const packr = new Packr({ useRecords: false, int64AsType: 'number' })

function read(
  chunks: readonly Uint8Array[],
  serializer: Serializer = msgpackSerializer,
  bytesMax?: number,
): unknown[] {
  const told: unknown[] = []
  const reader = serializer.reader(bytesMax)
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk), { message: m => told.push(m), stray: s => told.push(s) })
  }
  return told
}

function write(messages: readonly unknown[], serializer: Serializer = msgpackSerializer): Buffer {
  const writer = serializer.writer()
  for (const message of messages) writer.add(message)
  return writer.take() as Buffer
}

test('P4: bare values, byte for byte what pystorm was given and gave', t => {
  const writer = msgpackSerializer.writer()
  writer.addTuple('5', 'sp', 'default', 2, ['the'])
  const tuple = writer.take() as Buffer
  t.is(tuple.length, 46)
  t.is(tuple.subarray(0, 8).toString('hex'), '85a26964a135a463')
  const heartbeat = write([{ id: '6', comp: null, stream: '__heartbeat', task: -1, tuple: [] }])
  t.is(heartbeat.length, 44)
  t.is(heartbeat.subarray(0, 8).toString('hex'), '85a26964a136a463')
  const tick = write([{ id: '7', comp: '__system', stream: '__tick', task: -1, tuple: [2] }])
  t.is(tick.length, 48)
  t.is(write([[4]]).toString('hex'), '9104')
  t.deepEqual(read([Buffer.from('81a3706964cd2074', 'hex')]), [{ pid: 8308 }])
  t.is(write([{ command: 'ack', id: '5' }]).length, 18)
  t.is(
    write([{ command: 'emit', tuple: ['the', 1, Buffer.from([0, 255])], anchors: ['5'] }]).length,
    41,
  )
})

test('P2: floats with an integral value and integers beyond 2^53 keep their type', t => {
  const message = {
    v: [
      new Double(1),
      1,
      2n ** 53n + 1n,
      -(2n ** 63n),
      2n ** 64n - 1n,
      5_000_000_000,
      -5_000_000_000,
    ],
  }
  for (const serializer of [msgpackSerializer, msgpackLiteSerializer]) {
    t.deepEqual(read([write([message], serializer)], serializer), [message])
  }
  t.throws(() => write([2n ** 64n]), { message: /beyond 64 bits/ })
})

test('raw strings of old libraries are text, bin is bytes', t => {
  const raw = Buffer.concat([Buffer.from([0x81, 0xa1, 0x61, 0xda, 0x00, 0x03]), Buffer.from('é!')])
  t.deepEqual(read([raw]), [{ a: 'é!' }])
  t.deepEqual(read([Buffer.from([0x81, 0xa1, 0x61, 0xc4, 0x02, 0x00, 0xff])]), [
    { a: Buffer.from([0, 255]) },
  ])
})

test('what comes too deep, too large, or is no message is a clear error with its first bytes', t => {
  const deep = Buffer.concat([Buffer.alloc(10_000, 0x91), Buffer.from([0xc0])])
  t.throws(() => read([deep]), {
    instanceOf: EngineError,
    message: /nested deeper than 512 levels; the first 200 bytes are \\x91/,
  })
  t.throws(() => read([Buffer.from('hello world\n')]), {
    message: /no message; the first 200 bytes are hello world\\x0a/,
  })
  t.throws(() => read([Buffer.from([0xc1, 1])]), {
    message: /0xc1, which begins no MessagePack value/,
  })
  t.throws(() => read([Buffer.from([0xd4, 1, 1])]), { message: /0xd4/ })
  const large = write([{ a: 'x'.repeat(2_000) }])
  t.throws(() => read([large], msgpackSerializer, 1_000), { message: /more than 1000 bytes/ })
  t.throws(
    () => read([large.subarray(0, 900), large.subarray(900, 1_800)], msgpackSerializer, 1_000),
    {
      message: /more than 1000 bytes/,
    },
  )
})

test('a claimed length beyond all memory waits for bytes instead of taking memory', t => {
  t.deepEqual(read([Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])]), [])
})

test('a large message in many chunks is looked at once', t => {
  const message = { a: Array.from({ length: 400_000 }, (_, i) => `word${i}`) }
  const bytes = write([message])
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += 8_192) chunks.push(bytes.subarray(at, at + 8_192))
  t.deepEqual(read(chunks), [message])
})

test('what was begun and never ended can be asked for', t => {
  const reader = msgpackSerializer.reader()
  reader.push(Buffer.from([0x81, 0xa1, 0x61]), { message: () => undefined, stray: () => undefined })
  t.is(reader.leftover(), '\\x81\\xa1a')
})

const leaf = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
    .filter(n => !Number.isSafeInteger(Number(n))),
  fc.maxSafeInteger().map(n => new Double(n)),
  fc.double({ noNaN: true }).filter(n => !Number.isSafeInteger(n)),
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
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
const messages = fc.array(fc.dictionary(fc.string(), tree, { noNullPrototype: true }), {
  minLength: 1,
  maxLength: 5,
})

test('however the bytes are cut, what was written is read, by each serializer from each other', t => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat(2_000), { maxLength: 10 }), (sent, cuts) => {
      for (const writer of [msgpackSerializer, msgpackLiteSerializer]) {
        const bytes = write(sent, writer)
        const at = [
          0,
          ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ]
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
        for (const reader of [msgpackSerializer, msgpackLiteSerializer])
          t.deepEqual(read(chunks, reader), sent)
      }
    }),
    { numRuns: 150 },
  )
})

test('both npm libraries read what we write and write what we read, but for the types they do not have', t => {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
  const value = fc.array(
    fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
  )
  fc.assert(
    fc.property(value, items => {
      const message = plain({ command: 'emit', tuple: items })
      const bytes = write([message])
      t.deepEqual(msgpackLite.decode(bytes), message)
      t.deepEqual(packr.unpack(bytes), message)
      t.deepEqual(plain(read([packr.pack(message)])[0]), message)
      t.deepEqual(plain(read([msgpackLite.encode(message)])[0]), message)
    }),
    { numRuns: 200 },
  )
})

test('a message that cannot be written leaves nothing behind', t => {
  for (const serializer of [msgpackSerializer, msgpackLiteSerializer]) {
    const writer = serializer.writer()
    writer.add([1])
    t.throws(() => writer.add({ a: () => 1 }), { message: /a function/ })
    t.throws(() => writer.addTuple('1', 'a', 'b', 1, [Symbol('s')]))
    t.is((writer.take() as Buffer).toString('hex'), '9101')
  }
})
