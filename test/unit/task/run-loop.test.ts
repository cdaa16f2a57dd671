// Slices of the run loop: how long they are, whatever the tasks do.
import test from 'ava'
import type { Environment } from '../../../src/base/environment.ts'
import { RunLoop, type Runnable } from '../../../src/task/run-loop.ts'

/** Time passes only in messages. */
function rig() {
  const time = { ms: 0, looks: 0 }
  const due: (() => void)[] = []
  const environment: Environment = {
    nowUs: () => time.ms * 1000,
    monotonicMs: () => {
      time.looks++
      return time.ms
    },
    defer: fn => void due.push(fn),
    after: () => ({ cancel: () => undefined }),
    random: () => 0,
  }
  const slicesMs: number[] = []
  let fromMs = 0
  const loop = new RunLoop(environment, () => slicesMs.push(time.ms - fromMs))
  // Always has work; each message takes so long.
  const endless = (messageMs: number, level = 1): Runnable & { handled: number } => ({
    level,
    queued: false,
    busyMs: 0,
    handled: 0,
    run(quantum) {
      time.ms += messageMs * quantum
      this.handled += quantum
      loop.ready(this)
      return quantum
    },
  })
  const slices = (count: number) => {
    for (let i = 0; i < count; i++) {
      fromMs = time.ms
      due.shift()!()
    }
    return slicesMs.splice(0)
  }
  return { time, loop, endless, slices }
}

test('sockets have their turn after about a millisecond, though each message takes half of one', t => {
  const { loop, endless, slices } = rig()
  for (let i = 0; i < 3; i++) loop.ready(endless(0.5))
  slices(20)
  for (const ms of slices(100)) t.true(ms <= 1.5, `${ms} ms`)
})

test('a message that takes long is alone in its slice', t => {
  const { loop, endless, slices } = rig()
  loop.ready(endless(20))
  slices(20)
  for (const ms of slices(10)) t.is(ms, 20)
})

test('the clock is looked at once for many messages that are quick, soon after slow ones too', t => {
  const { time, loop, endless, slices } = rig()
  const slow = endless(2)
  loop.ready(slow)
  slices(20)
  slow.run = quantum => {
    time.ms += 0.0001 * quantum
    slow.handled += quantum
    loop.ready(slow)
    return quantum
  }
  slices(1)
  slow.handled = 0
  time.looks = 0
  slices(10)
  t.true(slow.handled / time.looks > 100, `${slow.handled} messages, ${time.looks} looks`)
})

test('of several that have work all the time each has its share', t => {
  const { loop, endless, slices } = rig()
  const tasks = [endless(0.01), endless(0.01), endless(0.01)]
  for (const task of tasks) loop.ready(task)
  slices(50)
  const counts = tasks.map(task => task.handled).sort((a, b) => a - b)
  t.true(counts[2]! - counts[0]! <= 128, `${counts}`)
})
