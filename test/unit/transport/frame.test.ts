// A frame must carry its messages exactly, in every shape of column, and its decoder must survive any bytes.

import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { EngineError } from '../../../src/base/errors.ts'
import {
  type ControlFrame,
  type DataFrame,
  DataFrameBuilder,
  decodeFrame,
  detach,
  encodeFrame,
  encodeProgress,
  FRAME_MESSAGES_MAX,
  FrameKind,
  frameParts,
} from '../../../src/transport/frame.ts'
import { FramePool } from '../../../src/transport/frame-pool.ts'
import { Serialisers } from '../../../src/transport/serialisers.ts'
import '../seed.ts'

const serialisers = new Serialisers()
const session = { executor: 4_000_000_000, counter: 7 }

function decoded(frame: Buffer): ReturnType<typeof decodeFrame> {
  const { kind, body } = frameParts(frame)
  const copy = Buffer.from(body)
  const result = decodeFrame(kind, copy, serialisers)
  copy.fill(0xdb) // nothing in the result may refer to the body
  return result
}

function data(builder: DataFrameBuilder): DataFrame {
  const frame = builder.finish(session, 0xffffffff, 3, -5)
  if (frame.readUInt32LE(0) !== frame.length - 4)
    throw new Error('the length does not fit the frame')
  return decoded(frame) as DataFrame
}

function throughFrame(
  values: readonly unknown[],
  builder = new DataFrameBuilder(serialisers),
): unknown[] {
  for (const value of values) builder.append(1, 2, 3, value, true)
  return data(builder).values
}

const COLUMNS: Record<string, readonly unknown[]> = {
  'ASCII texts': ['a', '', 'bcd', 'x'.repeat(300), 'y'.repeat(5000)],
  'very long text': ['z'.repeat(70_000), 'short'],
  'texts of many scripts': ['ä', '€', '😀', 'plain', ''],
  'texts much wider in UTF-8': Array.from({ length: 500 }, () => '漢字漢字漢字'),
  'lone surrogates': ['a\ud800', 'b', '\udc00c'],
  'a pair split over two texts': ['a\ud83d', '\ude00b'],
  'small integers': [0, 1, -1, 127, -128],
  'medium integers': [0, 300, -32768, 32767],
  'large integers': [0, 2 ** 31 - 1, -(2 ** 31)],
  'floats, -0 and NaN': [1.5, -0, Number.NaN, Infinity, 0],
  'integers that become floats': [1, 2, 3.5, -0],
  'booleans and nulls': [true, false, null, undefined],
  buffers: [Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(400, 1)],
  'byte arrays': [new Uint8Array([1]), new Uint8Array(70_000)],
  'buffers and byte arrays': [Buffer.from('a'), new Uint8Array([1])],
  'tuples of one field': [['a'], ['b']],
  'tuples of no field': [[], []],
  'tuples of four fields': [
    ['a', 1, 1.5, null],
    ['b', 2, 2.5, true],
  ],
  'tuples with one mixed field': [
    ['a', 1],
    ['b', 'two'],
    ['c', { three: 3n }],
  ],
  'tuples in tuples in tuples': [[[[1, 'a'], 'x']], [[[2, 'b'], 'y']]],
  'tuples of unequal length': [['a', 1], ['b'], ['c', 2, 3]],
  'tuples too wide for columns': [Array.from({ length: 100 }, (_, i) => i)],
  objects: [{ a: 1 }, { b: [2] }],
  'a mixture': ['a', 1, null, ['x'], { y: 1 }, 5n, new Map([[1, 2]]), undefined, new Date(5)],
}

for (const [name, values] of Object.entries(COLUMNS)) {
  test(`a column of ${name} comes back exactly`, t => {
    const back = throughFrame(values)
    t.deepEqual(back, [...values])
    for (const [i, value] of values.entries()) {
      if (typeof value === 'number') t.true(Object.is(back[i], value))
      if (value instanceof Uint8Array) t.is(Buffer.isBuffer(back[i]), Buffer.isBuffer(value))
    }
  })
}

test('the columns beside the values come back, constant or not', t => {
  const builder = new DataFrameBuilder(serialisers, { stamps: true })
  const ids = [0, 5, 300, 70_000, -1]
  for (const [i, id] of ids.entries()) builder.append(id, 9, i, `v${i}`, i % 2 === 0, i + 0.5)
  const frame = data(builder)
  t.like(frame, {
    kind: FrameKind.DATA,
    session,
    number: 0xffffffff,
    epoch: 3,
    firstPosition: -5,
    count: 5,
  })
  t.deepEqual([...frame.targets], ids)
  t.deepEqual([...frame.edges], [9, 9, 9, 9, 9])
  t.deepEqual([...frame.sources], [0, 1, 2, 3, 4])
  t.deepEqual(frame.tracked, new Uint8Array([0b10101]))
  t.deepEqual([...frame.stamps!], [0.5, 1.5, 2.5, 3.5, 4.5])
  for (const tracked of [true, false]) {
    builder.append(1, 1, 1, 'v', tracked)
    t.is(data(builder).tracked, tracked ? 'all' : 'none')
  }
})

test('whichever messages follow each other, each keeps its place and whether it is tracked', t => {
  const message = fc.record({
    target: fc.constantFrom(1, 2, 70_000),
    edge: fc.constantFrom(0, 1),
    source: fc.constantFrom(3, 3, 3, 300),
    tracked: fc.boolean(),
  })
  // Runs of the same message: what is constant for a while, or for a whole frame, is kept in another way.
  const frames = fc.array(
    fc.array(fc.tuple(message, fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 6 }),
    { minLength: 1, maxLength: 4 },
  )
  const builder = new DataFrameBuilder(serialisers)
  fc.assert(
    fc.property(frames, list => {
      for (const runs of list) {
        const sent = runs.flatMap(([one, times]) => Array.from({ length: times }, () => one))
        for (const { target, edge, source, tracked } of sent)
          builder.append(target, edge, source, 'v', tracked)
        const { targets, edges, sources, tracked } = data(builder)
        t.deepEqual(
          [...targets],
          sent.map(one => one.target),
        )
        t.deepEqual(
          [...edges],
          sent.map(one => one.edge),
        )
        t.deepEqual(
          [...sources],
          sent.map(one => one.source),
        )
        const isTracked = (i: number) =>
          tracked === 'all' || (tracked !== 'none' && (tracked[i >> 3]! & (1 << (i & 7))) !== 0)
        t.deepEqual(
          sent.map((_, i) => isTracked(i)),
          sent.map(one => one.tracked),
        )
      }
    }),
  )
})

test('a frame without messages is a heartbeat', t => {
  const frame = data(new DataFrameBuilder(serialisers))
  t.is(frame.count, 0)
  t.deepEqual(frame.values, [])
})

test('any generated messages come back from one reused builder, with a pool or without', t => {
  const pool = new FramePool()
  const builders = [new DataFrameBuilder(serialisers), new DataFrameBuilder(serialisers, { pool })]
  const field = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double(),
    fc.constantFrom(null, undefined, true, false),
    fc.bigInt(),
    fc.uint8Array(),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.dictionary(fc.string(), fc.integer()),
  )
  const rows = fc.oneof(
    fc.array(field, { maxLength: 30 }),
    fc.array(fc.tuple(fc.string(), fc.integer(), field), { maxLength: 30 }),
    fc.array(fc.array(field, { minLength: 1, maxLength: 3 }), { maxLength: 20 }),
  )
  fc.assert(
    fc.property(rows, values => {
      for (const [i, builder] of builders.entries()) {
        for (const value of values) builder.append(1, 2, 3, value, true)
        const frame = builder.finish(session, 0, 0, 0)
        if (!isDeepStrictEqual((decoded(frame) as DataFrame).values, values)) return false
        if (i === 1) pool.give(frame)
      }
      return true
    }),
    { numRuns: 1500 },
  )
  t.pass()
})

test('a value that cannot be sent throws at its append and leaves the others whole', t => {
  class Secret {
    readonly a = 1
  }
  const good: unknown[] = [
    ['a', { x: 1 }, ['p', 1]],
    ['b', { x: 2 }, ['q', 2]],
  ]
  const bad: unknown[] = [
    ['c', new Secret(), ['r', 3]],
    ['d', { x: 3 }, ['s', () => 1]],
    new Secret(),
  ]
  for (let at = 0; at <= good.length; at++) {
    for (const value of bad) {
      const builder = new DataFrameBuilder(serialisers)
      for (const [i, one] of good.entries()) {
        if (i === at)
          t.throws(() => builder.append(9, 9, 9, value, true), { instanceOf: EngineError })
        builder.append(1, 2, 3, one, true)
      }
      if (at === good.length)
        t.throws(() => builder.append(9, 9, 9, value, true), { instanceOf: EngineError })
      t.is(builder.count, 2)
      t.deepEqual(data(builder).values, good)
    }
  }
})

test('the refusal of a field names its place in the message', t => {
  const builder = new DataFrameBuilder(serialisers)
  const error = t.throws<EngineError>(() => builder.append(1, 1, 1, ['a', { f: [() => 1] }], true))
  t.is(error.details.path, 'value[1].f[0]')
  t.true(error.message.startsWith('value[1].f[0] is a function'))
})

test('a frame is full at its target size or its number of messages', t => {
  const builder = new DataFrameBuilder(serialisers)
  for (let i = 0; i < FRAME_MESSAGES_MAX; i++) {
    t.false(builder.full)
    builder.append(1, 1, 1, i, true)
  }
  t.true(builder.full)
  t.throws(() => builder.append(1, 1, 1, 1, true), { message: /full frame/ })
  builder.reset()
  builder.append(1, 1, 1, 'x'.repeat(50_000), true)
  t.true(builder.full)
})

test('a message of many megabytes goes in one frame, a larger one is refused at its append', t => {
  const builder = new DataFrameBuilder(serialisers)
  const large = [Buffer.alloc(20_000_000, 3), 'ü'.repeat(5_000_000)]
  const [buffer, text] = throughFrame([large], builder)[0] as [Buffer, string]
  t.true(buffer.equals(large[0] as Buffer))
  t.true(text === large[1])
  for (const value of [
    'x'.repeat(33_000_000),
    Buffer.alloc(33_000_000),
    ['a', Buffer.alloc(33_000_000)],
    { a: Buffer.alloc(33_000_000) },
  ]) {
    const error = t.throws<EngineError>(() => builder.append(1, 1, 1, value, true))
    t.is(error.code, 'FRAME_TOO_LARGE')
  }
  t.deepEqual(throughFrame(['a'], builder), ['a'])
})

const CONTROL: ControlFrame[] = [
  { kind: FrameKind.HELLO, executor: 7, version: 1, application: 'app-ä', token: 's3cret' },
  { kind: FrameKind.GAP, session },
  { kind: FrameKind.RENEW, session, positions: [5, -3, 0x7fffffff, -0x80000000] },
  {
    kind: FrameKind.PROGRESS,
    session,
    number: 12,
    through: 0x7ffffff0,
    runs: [0x7ffffff4, 20, -0x7fffffe0, 1],
    failed: [0x7ffffff1, -0x7ffffff0],
    credits: [1, 2, 300, -1, 70_000, 5],
  },
]

test('control frames come back, across the wrap of positions', t => {
  for (const frame of CONTROL) t.deepEqual(decoded(encodeFrame(frame)), frame)
})

test('a progress frame in order is small', t => {
  const frame = encodeProgress({
    session,
    number: 1,
    through: 512,
    runs: [],
    failed: [],
    credits: [],
  })
  t.true(frame.length <= 24)
})

test('a run that would never end is refused', t => {
  const { kind, body } = frameParts(
    encodeProgress({ session, number: 1, through: 0, runs: [1, 0], failed: [], credits: [] }),
  )
  t.throws(() => decodeFrame(kind, body, serialisers), { code: 'FRAME_INVALID' })
})

test('cut and mutated frames end in an error or a frame, and nothing else', t => {
  const frames = CONTROL.map(encodeFrame)
  for (const values of Object.values(COLUMNS)) {
    const builder = new DataFrameBuilder(serialisers, { stamps: values.length % 2 === 0 })
    for (const [i, value] of values.entries()) builder.append(i, 1, i * 300, value, i % 2 === 0, i)
    const frame = builder.finish(session, 1, 0, 0)
    if (frame.length < 10_000) frames.push(frame)
  }
  let seed = 3
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >>> 8) % below
  }
  let refused = 0
  for (let run = 0; run < 6000; run++) {
    const { kind, body } = frameParts(frames[random(frames.length)]!)
    const mutated = Buffer.from(random(8) === 0 ? body.subarray(0, random(body.length)) : body)
    for (let i = 0; i <= random(4); i++) {
      if (mutated.length > 0) mutated[random(mutated.length)] = random(4) === 0 ? 255 : random(256)
    }
    try {
      decodeFrame(random(50) === 0 ? random(256) : kind, mutated, serialisers)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      refused++
    }
  }
  t.true(refused > 2000)
})

test('a detached text is equal to the one it was copied from', t => {
  for (const text of ['', 'abc', 'ä😀', 'a\ud800b']) t.is(detach(text), text)
})
