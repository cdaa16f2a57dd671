// However a stream is cut into reads, the same frames must come out, in order and once.

import test from 'ava'
import fc from 'fast-check'
import { FRAME_BYTES_MAX } from '../../../src/transport/frame.ts'
import { FrameAssembler, READ_BYTES } from '../../../src/transport/frame-assembler.ts'
import '../seed.ts'

function frameOf(kind: number, body: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + body.length)
  frame.writeUInt32LE(1 + body.length)
  frame[4] = kind
  frame.set(body, 5)
  return frame
}

interface Collected {
  assembler: FrameAssembler
  frames: { kind: number; body: Buffer }[]
}

function collect(): Collected {
  const frames: { kind: number; body: Buffer }[] = []
  const assembler = new FrameAssembler((kind, body) =>
    frames.push({ kind, body: Buffer.from(body) }),
  )
  return { assembler, frames }
}

function feed(
  assembler: FrameAssembler,
  bytes: Buffer,
  sizes: readonly number[],
  inPlace: boolean,
): void {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.min(
      sizes[i % sizes.length]!,
      bytes.length - at,
      inPlace ? READ_BYTES : Infinity,
    )
    if (inPlace) {
      bytes.copy(assembler.space(), 0, at, at + size)
      assembler.advance(size)
    } else assembler.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
  }
}

test('the same frames come out of any cut, in place or pushed', t => {
  const bodies = fc.array(
    fc.oneof(fc.nat(40), fc.nat(70_000), fc.constant(600_000)).map(n => Buffer.alloc(n, n % 251)),
    { minLength: 1, maxLength: 8 },
  )
  const sizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 200_000 })),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  fc.assert(
    fc.property(bodies, sizes, fc.boolean(), (all, cuts, inPlace) => {
      const { assembler, frames } = collect()
      const bytes = Buffer.concat(all.map((body, i) => frameOf(i, body)))
      // Tiny cuts of megabytes would only be slow.
      feed(assembler, bytes, bytes.length > 100_000 ? [...cuts, 150_000] : cuts, inPlace)
      if (frames.length !== all.length) return false
      return all.every((body, i) => frames[i]!.kind === i && frames[i]!.body.equals(body))
    }),
    { numRuns: 150 },
  )
  t.pass()
})

test('a length that no frame can have is refused as soon as it is known', t => {
  for (const length of [0, FRAME_BYTES_MAX, 0xffffffff]) {
    for (const inPlace of [true, false]) {
      const { assembler } = collect()
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(length)
      t.throws(() => feed(assembler, bytes, [1], inPlace), { code: 'FRAME_INVALID' })
    }
  }
})

test('a frame said to be huge takes memory only as its bytes arrive', t => {
  const { assembler, frames } = collect()
  const head = Buffer.alloc(5)
  head.writeUInt32LE(60_000_000)
  const before = process.memoryUsage().arrayBuffers
  assembler.push(head)
  assembler.push(Buffer.alloc(1000))
  t.true(process.memoryUsage().arrayBuffers - before < 2_000_000)
  t.is(frames.length, 0)
})

test('nothing is handed over after a stop, not even from the same read', t => {
  const seen: number[] = []
  const assembler = new FrameAssembler(kind => {
    seen.push(kind)
    assembler.stop()
  })
  assembler.push(Buffer.concat([frameOf(1, Buffer.alloc(3)), frameOf(2, Buffer.alloc(3))]))
  assembler.push(frameOf(3, Buffer.alloc(3)))
  t.deepEqual(seen, [1])
})
