// The pulse of a link: silence is found in time, our own pauses are not taken for the peer's.
import test from 'ava'
import { Pulse } from '../../../src/actor/pulse.ts'
import type { Environment } from '../../../src/base/environment.ts'

// A process whose timers may come late.
class Process implements Environment {
  nowMs = 0
  due: { atMs: number; fn: () => void } | undefined

  nowUs(): number {
    return this.nowMs * 1000
  }
  monotonicMs(): number {
    return this.nowMs
  }
  random(): number {
    return 0
  }
  defer(fn: () => void): void {
    fn()
  }
  after(delayMs: number, fn: () => void): { cancel(): void } {
    this.due = { atMs: this.nowMs + delayMs, fn }
    return {
      cancel: () => {
        this.due = undefined
      },
    }
  }

  /** The next timer fires, `lateMs` too late. */
  tick(lateMs = 0): void {
    const { atMs, fn } = this.due!
    this.due = undefined
    this.nowMs = atMs + lateMs
    fn()
  }
}

function pulseOf(process: Process) {
  const seen = { pings: 0, silent: [] as number[], needed: true }
  const pulse = new Pulse({
    environment: process,
    pingMs: 1000,
    unreachableMs: 5000,
    needed: () => seen.needed,
    ping: () => seen.pings++,
    silent: ms => seen.silent.push(ms),
  })
  return { pulse, seen }
}

test('a peer that says nothing is silent after unreachableMs, and pinged until then', t => {
  const process = new Process()
  const { pulse, seen } = pulseOf(process)
  pulse.start()
  while (process.due !== undefined) process.tick()
  t.deepEqual(seen.silent, [5000])
  t.is(seen.pings, 4)
})

test('a peer that answers is never silent, and the pulse stops when nothing depends on it', t => {
  const process = new Process()
  const { pulse, seen } = pulseOf(process)
  pulse.start()
  for (let i = 0; i < 50; i++) {
    process.tick()
    pulse.heard()
  }
  seen.needed = false
  process.tick()
  t.is(process.due, undefined)
  t.deepEqual(seen.silent, [])
  t.is(seen.pings, 50)
})

test('silence is counted from the start, not from the last thing that was heard long ago', t => {
  const process = new Process()
  const { pulse, seen } = pulseOf(process)
  pulse.heard()
  process.nowMs = 1_000_000
  pulse.start()
  process.tick()
  t.deepEqual(seen.silent, [])
})

test('a pause of our own process is not the silence of the peer', t => {
  const process = new Process()
  const { pulse, seen } = pulseOf(process)
  pulse.start()
  process.tick()
  process.tick(60_000)
  t.deepEqual(seen.silent, [])
  while (process.due !== undefined) process.tick()
  t.is(seen.silent.length, 1)
})

test('asks that wait for less than a beat find out that the peer is silent', t => {
  const process = new Process()
  const { pulse, seen } = pulseOf(process)
  for (let ask = 0; ask < 10 && seen.silent.length === 0; ask++) {
    seen.needed = true
    pulse.start()
    // It times out before the beat.
    seen.needed = false
    process.tick()
  }
  t.deepEqual(seen.silent, [5000])
})
