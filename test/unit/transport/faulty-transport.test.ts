// Simulated faults must be exactly those asked for, and the same for the same seed.

import test from 'ava'
import { type Faults, FaultyNetwork } from '../../../src/transport/faulty-transport.ts'
import { FrameKind } from '../../../src/transport/frame.ts'
import type { Link } from '../../../src/transport/link.ts'

// Virtual time: a list of calls, run by due time and then by age.
class ManualTime {
  private nowMs = 0
  private age = 0
  private calls: { at: number; age: number; fn: () => void }[] = []

  now(): number {
    return this.nowMs
  }

  after(delayMs: number, fn: () => void): void {
    this.calls.push({ at: this.nowMs + delayMs, age: this.age++, fn })
  }

  run(untilMs = Infinity): void {
    for (;;) {
      this.calls.sort((a, b) => a.at - b.at || a.age - b.age)
      const next = this.calls[0]
      if (next === undefined || next.at > untilMs) break
      this.calls.shift()
      this.nowMs = Math.max(this.nowMs, next.at)
      next.fn()
    }
    if (untilMs !== Infinity) this.nowMs = untilMs
  }
}

function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface World {
  time: ManualTime
  network: FaultyNetwork
  link: Link
  seen: (number | string)[]
}

async function worldOf(faults: Partial<Faults>, seed = 1): Promise<World> {
  const time = new ManualTime()
  const network = new FaultyNetwork({ random: randomOf(seed), time, faults })
  const seen: (number | string)[] = []
  const address = await network.transport('b').listen(() => ({
    onFrame: (_kind, body) => {
      seen.push(body.readUInt16LE(0))
    },
    onClose: reason => {
      seen.push(reason === undefined ? 'closed' : 'lost')
    },
    onDrain: () => undefined,
  }))
  const connecting = network.transport('a').connect(address, () => ({
    onFrame: () => undefined,
    onClose: reason => {
      seen.push(reason === undefined ? 'near closed' : 'near lost')
    },
    onDrain: () => undefined,
  }))
  time.run()
  return { time, network, link: await connecting, seen }
}

function send(link: Link, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const frame = Buffer.alloc(7)
    frame.writeUInt32LE(3)
    frame[4] = FrameKind.DATA
    frame.writeUInt16LE(i, 5)
    link.send(frame)
  }
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

test('with random delays every frame of a link arrives once, in order and within the bounds', async t => {
  const { time, link, seen } = await worldOf({ delayMsMin: 1, delayMsMax: 50 })
  for (let i = 0; i < 200; i++) {
    send(link, i, i + 1)
    time.run(i / 3)
  }
  t.true(seen.length < 200)
  time.run(67 + 50)
  t.deepEqual(seen, numbers(0, 200))
})

test('frames are lost and doubled about as often as asked, in order', async t => {
  const { time, link, seen } = await worldOf({ loss: 0.2, duplication: 0.1 })
  send(link, 0, 1000)
  time.run()
  const distinct = new Set(seen)
  t.true(distinct.size > 740 && distinct.size < 860)
  t.true(seen.length - distinct.size > 40 && seen.length - distinct.size < 130)
  t.deepEqual(
    seen,
    [...seen].sort((a, b) => Number(a) - Number(b)),
  )
})

test('frames of one link change places only when asked', async t => {
  const { time, link, seen } = await worldOf({ reordering: 0.3, delayMsMax: 10 })
  send(link, 0, 100)
  time.run()
  t.notDeepEqual(seen, numbers(0, 100))
  t.deepEqual(
    [...seen].sort((a, b) => Number(a) - Number(b)),
    numbers(0, 100),
  )
})

test('one seed gives one run, another seed another', async t => {
  const faults = { delayMsMax: 20, loss: 0.1, duplication: 0.1, reordering: 0.1 }
  const runs: unknown[] = []
  for (const seed of [5, 5, 6]) {
    const { time, link, seen } = await worldOf(faults, seed)
    send(link, 0, 300)
    time.run()
    runs.push(seen)
  }
  t.deepEqual(runs[0], runs[1])
  t.notDeepEqual(runs[0], runs[2])
})

test('a cut that holds delivers everything in order once it heals', async t => {
  const { time, network, link, seen } = await worldOf({ delayMsMin: 5, delayMsMax: 9 })
  send(link, 0, 10)
  time.run(3)
  network.cut('a', 'b')
  send(link, 10, 20)
  time.run(100)
  t.deepEqual(seen, [])
  send(link, 20, 25)
  network.heal('b', 'a')
  send(link, 25, 30)
  time.run()
  t.deepEqual(seen, numbers(0, 30))
})

test('a cut that loses swallows what would arrive, and refuses new links', async t => {
  const { time, network, link, seen } = await worldOf({})
  network.cut('a', 'b', 'lose')
  send(link, 0, 10)
  const refused = network.transport('a').connect({ kind: 'memory', name: 'b' }, () => {
    throw new Error('must not be asked')
  })
  time.run()
  await t.throwsAsync(refused, { code: 'LINK_LOST' })
  network.heal('a', 'b')
  send(link, 10, 20)
  time.run()
  t.deepEqual(seen, numbers(10, 20))
})

test('severed links are lost on both sides', async t => {
  const { time, network, link, seen } = await worldOf({ delayMsMin: 5, delayMsMax: 5 })
  send(link, 0, 3)
  network.sever('b', 'a')
  time.run()
  t.deepEqual([...seen].sort(), ['lost', 'near lost'])
})

test('a killed endpoint is silent, its peers lose their links, and it can be made again', async t => {
  const { time, network, link, seen } = await worldOf({})
  network.kill('b')
  send(link, 0, 3)
  time.run()
  t.true(seen.includes('near lost'))
  t.false(seen.includes(0))
  const again = network.transport('b')
  await again.listen(() => ({
    onFrame: () => undefined,
    onClose: () => undefined,
    onDrain: () => undefined,
  }))
  const connecting = network.transport('a').connect({ kind: 'memory', name: 'b' }, () => ({
    onFrame: () => undefined,
    onClose: () => undefined,
    onDrain: () => undefined,
  }))
  time.run()
  await t.notThrowsAsync(connecting)
})
