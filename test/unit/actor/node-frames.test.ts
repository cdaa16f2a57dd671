// Frames between nodes: what is written is read again, and no bytes do more harm than FRAME_INVALID.
import test from 'ava'
import fc from 'fast-check'
import { readGreeting } from '../../../src/actor/greeting.ts'
import { NodeFrameKind, NodeFrames } from '../../../src/actor/node-frames.ts'
import { plainError, revivedError } from '../../../src/actor/plain-error.ts'
import { EngineError } from '../../../src/base/errors.ts'
import { frameParts } from '../../../src/transport/frame.ts'
import { Serialisers } from '../../../src/transport/serialisers.ts'
import '../seed.ts'

const frames = new NodeFrames(new Serialisers(), 1024 * 1024)

function read(frame: Buffer) {
  const { kind, body } = frameParts(frame)
  frames.open(body)
  return frames.read(kind)
}

test('what is written is read again', t => {
  const call = {
    id: 7,
    name: 'a/b',
    incarnation: undefined,
    method: 'm',
    args: [1, 'x', { y: 2n }],
  }
  t.deepEqual(read(frames.call(call)), { kind: NodeFrameKind.CALL, ...call })
  t.like(read(frames.answer(1, [undefined], '')), { id: 1, value: [undefined] })
  t.like(read(frames.failed(2, { message: 'x' })), { id: 2, error: { message: 'x' } })
  t.like(read(frames.watch(3, 'n', 'i')), { id: 3, name: 'n', incarnation: 'i' })
  t.like(read(frames.watched(4, 'i')), { id: 4, incarnation: 'i' })
  t.like(read(frames.unwatch(5)), { id: 5 })
  t.like(read(frames.down(6, 'gone')), { id: 6, reason: 'gone' })
  t.is(read(frames.ping()).kind, NodeFrameKind.PING)
  t.is(read(frames.pong()).kind, NodeFrameKind.PONG)
})

test('a greeting is read again, for each kind of address', t => {
  for (const listens of [
    undefined,
    { kind: 'tcp', host: 'h', port: 65535 },
    { kind: 'unix', path: '/p' },
    { kind: 'memory', name: 'm' },
  ] as const) {
    const identity = { name: 'n', incarnation: 'i', listens, cluster: 'c' }
    const { input } = frames.open(frameParts(frames.hello(identity, 'token')).body)
    t.deepEqual(readGreeting(input), { ...identity, version: 2, token: 'token' })
  }
})

test('a greeting that would be too long is refused where it is made', t => {
  const identity = { name: 'n', incarnation: 'i', listens: undefined, cluster: '' }
  t.throws(() => frames.hello(identity, 'x'.repeat(5000)), { code: 'BAD_INPUT' })
})

test('bytes that make no frame end in FRAME_INVALID, whatever they are', t => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(NodeFrameKind), 0, 99),
      fc.uint8Array({ maxLength: 200 }),
      (kind, bytes) => {
        for (const decode of [
          () => frames.read(kind),
          () => readGreeting(frames.open(Buffer.from(bytes)).input),
        ]) {
          try {
            frames.open(Buffer.from(bytes))
            decode()
          } catch (error) {
            t.true(error instanceof EngineError && error.code === 'FRAME_INVALID', String(error))
          }
        }
      },
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

test('errors survive the way, with their causes up to a depth, whatever was thrown', t => {
  const deep = [1, 2, 3, 4, 5, 6, 7].reduce<Error>(
    (cause, n) => new Error(`level ${n}`, { cause }),
    new EngineError('BAD_INPUT', 'root', { hint: 'h', details: { a: 1 } }),
  )
  const revived = revivedError(plainError(deep))
  t.is(revived.stack, deep.stack)
  let depth = 0
  for (let at: unknown = revived; at instanceof Error; at = at.cause) depth++
  t.is(depth, 5)
  t.is(revivedError(plainError('only a text')).message, 'only a text')
  t.is(revivedError(undefined).message, 'an error that cannot be read')
  const looped = new Error('loop')
  looped.cause = looped
  t.notThrows(() => plainError(looped))
})
