// Memory links must keep the Link contract whatever order deferred calls run in.

import test from 'ava'
import { FrameKind } from '../../../src/transport/frame.ts'
import type { Link, LinkHandler } from '../../../src/transport/link.ts'
import { DeferredCarrier, MemoryNetwork } from '../../../src/transport/memory-transport.ts'

function frameOf(value: number, bytes = 1): Buffer {
  const frame = Buffer.alloc(5 + bytes, value)
  frame.writeUInt32LE(1 + bytes)
  frame[4] = FrameKind.DATA
  return frame
}

class Log implements LinkHandler {
  readonly events: unknown[] = []
  onFrame(_kind: number, body: Buffer): void {
    this.events.push(body[0])
  }
  onClose(reason: Error | undefined): void {
    this.events.push(reason === undefined ? 'closed' : reason)
  }
  onDrain(): void {
    this.events.push('drain')
  }
}

// Runs deferred calls last in, first out: the least convenient order.
function stack(): { defer: (fn: () => void) => void; run: () => void } {
  const calls: (() => void)[] = []
  return {
    defer: fn => calls.push(fn),
    run: () => {
      for (let call = calls.pop(); call !== undefined; call = calls.pop()) call()
    },
  }
}

async function pairOf(): Promise<{
  near: Link
  far: Link
  nearLog: Log
  farLog: Log
  run: () => void
  network: MemoryNetwork
}> {
  const { defer, run } = stack()
  const network = new MemoryNetwork({ carrier: new DeferredCarrier(defer), poison: true })
  const nearLog = new Log()
  const farLog = new Log()
  let far: Link | undefined
  const address = await network.transport('b').listen(link => {
    far = link
    return farLog
  })
  const connecting = network.transport('a').connect(address, () => nearLog)
  run()
  const near = await connecting
  return { near, far: far!, nearLog, farLog, run, network }
}

test('frames arrive later, and in order even when deferred calls are not', async t => {
  const { near, far, nearLog, farLog, run } = await pairOf()
  for (let i = 0; i < 5; i++) near.send(frameOf(i))
  far.send(frameOf(9))
  t.deepEqual(farLog.events, [])
  run()
  t.deepEqual(farLog.events, [0, 1, 2, 3, 4])
  t.deepEqual(nearLog.events, [9])
  t.deepEqual([near.peer, far.peer], ['memory:b', 'memory:a'])
})

test('what was sent before a close arrives, and both sides hear of the end once', async t => {
  const { near, nearLog, farLog, run } = await pairOf()
  near.send(frameOf(1))
  near.close()
  near.close()
  near.send(frameOf(2))
  run()
  t.deepEqual(farLog.events, [1, 'closed'])
  t.deepEqual(nearLog.events, ['closed'])
})

test('a handler that throws ends the link for both sides', async t => {
  const { near, nearLog, farLog, run } = await pairOf()
  const failure = new Error('no')
  farLog.onFrame = () => {
    throw failure
  }
  near.send(frameOf(1))
  run()
  t.deepEqual(farLog.events, [failure])
  t.like(nearLog.events[0], { code: 'LINK_LOST' })
})

test('a link with much under way drains', async t => {
  const { near, nearLog, run } = await pairOf()
  near.send(frameOf(1, 200_000))
  t.true(near.bufferedBytes > 200_000)
  run()
  t.is(near.bufferedBytes, 0)
  t.deepEqual(nearLog.events, ['drain'])
})

test('a body that is kept beyond the call is overwritten', async t => {
  const { near, farLog, run } = await pairOf()
  let kept: Buffer | undefined
  farLog.onFrame = (_kind, body) => {
    kept = body
  }
  near.send(frameOf(1))
  run()
  t.is(kept![0], 0xdb)
})

test('nobody at an address, or nobody any more, is a lost link', async t => {
  const { network, run } = await pairOf()
  const asking = network.transport('a').connect({ kind: 'memory', name: 'c' }, () => new Log())
  run()
  await t.throwsAsync(asking, { code: 'LINK_LOST', message: /memory:c/ })
})

test('closing a transport closes its links and stops listening', async t => {
  const { network, run } = await pairOf()
  const log = new Log()
  const server = network.transport('s')
  const address = await server.listen(() => log)
  const other = new Log()
  const connecting = network.transport('a').connect(address, () => other)
  run()
  await connecting
  await server.close()
  run()
  t.deepEqual([log.events, other.events], [['closed'], ['closed']])
  const again = network.transport('a').connect(address, () => other)
  run()
  await t.throwsAsync(again, { code: 'LINK_LOST' })
})
