// The pool must give memory back to use, keep no more than its bound, and never waste a slab on a small frame.

import test from 'ava'
import { FramePool, SLAB_BYTES, SLABS_MAX } from '../../../src/transport/frame-pool.ts'

test('memory given back is used again', t => {
  const pool = new FramePool()
  const frame = pool.take(50_000)
  pool.give(frame.subarray(0, 40_000))
  t.is(pool.take(30_000).buffer, frame.buffer)
  t.not(pool.take(30_000).buffer, frame.buffer)
})

test('small and huge frames take memory of their own, which is not kept', t => {
  const pool = new FramePool()
  for (const bytes of [10, SLAB_BYTES + 1]) {
    const frame = pool.take(bytes)
    t.true(frame.length >= bytes)
    pool.give(frame)
    t.not(pool.take(20_000).buffer, frame.buffer)
  }
})

test('no more slabs are kept than the bound', t => {
  const pool = new FramePool()
  const frames = Array.from({ length: SLABS_MAX + 5 }, () => pool.take(20_000))
  for (const frame of frames) pool.give(frame)
  const kept = new Set(frames.map(frame => frame.buffer))
  const again = Array.from({ length: SLABS_MAX + 5 }, () => pool.take(20_000))
  t.is(again.filter(frame => kept.has(frame.buffer)).length, SLABS_MAX)
})
