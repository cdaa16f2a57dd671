// Record batches there and back, against known answers, and with any byte changed.
import test from 'ava'
import fc from 'fast-check'
import { murmur2 } from '../../../../../connectors/kafka/key-partitioner.ts'
import { unpack } from '../../../../../connectors/kafka/wire/compression.ts'
import { crc32c } from '../../../../../connectors/kafka/wire/crc32c.ts'
import { readBatches, writeBatch } from '../../../../../connectors/kafka/wire/record-batch.ts'
import '../../../seed.ts'

const PLAIN = { producerId: -1n, producerEpoch: -1, sequence: -1, transactional: false } as const
const FROM = { topic: 't', partition: 3, from: 0, aborted: [] }

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }).map(b => Buffer.from(b)))
const records = fc.array(
  fc.record({
    key: bytes,
    value: bytes,
    timestampMs: fc.integer({ min: 0, max: 4e12 }),
    headers: fc.array(fc.tuple(fc.string(), bytes), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
)

test('what was written is read, packed or not, and not once more from its middle', t => {
  const holds = fc.property(
    records,
    fc.constantFrom('none', 'gzip'),
    fc.nat(20),
    (all, compression, skip) => {
      const batch = writeBatch({ ...PLAIN, records: all, compression, nowMs: 0 })
      const read = readBatches(batch, { ...FROM, from: Math.min(skip, all.length) })
      const expected = all.map((record, offset) => ({
        topic: 't',
        partition: 3,
        offset,
        ...record,
      }))
      t.deepEqual(read.records as unknown[], expected.slice(skip))
      t.is(read.nextOffset, all.length)
    },
  )
  t.notThrows(() => fc.assert(holds, { numRuns: 100 }))
})

test('no changed byte passes: either the checksum is wrong, or the batch has no end or place', t => {
  const value = Buffer.from('a value of some length')
  const batch = writeBatch({
    ...PLAIN,
    records: [{ key: null, value, timestampMs: 5 }],
    compression: 'none',
    nowMs: 0,
  })
  // The offset and the leader's epoch before the checksum are the broker's to set.
  for (let at = 16; at < batch.length; at++) {
    const changed = Buffer.from(batch)
    changed[at]! ^= 0x40
    const { corrupt, nextOffset } = readBatches(changed, FROM)
    t.truthy(corrupt, `byte ${at}`)
    t.is(nextOffset, 0)
  }
})

test('checksum, key hash and packings give the known answers', t => {
  t.is(crc32c(Buffer.from('123456789')), 0xe3069283)
  const hashes = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
    abc: 479470107,
  }
  for (const [text, hash] of Object.entries(hashes)) t.is(murmur2(Buffer.from(text)), hash, text)
  // "a" ten times: one as it is, nine copied from one byte back.
  const snappy = Buffer.from([10, 0x00, 0x61, 0x15, 0x01])
  t.is(String(unpack(2, snappy)), 'aaaaaaaaaa')
  const lz4 = Buffer.from('04224d186040820600000015610100106200000000', 'hex')
  t.is(String(unpack(3, lz4)), 'aaaaaaaaaab')
  t.throws(() => unpack(2, Buffer.from([10, 0x15, 0x01])), { message: /before its beginning/ })
})
