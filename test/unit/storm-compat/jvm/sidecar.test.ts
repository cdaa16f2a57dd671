// The sidecar over hosts that are no processes: what it hears of whom, and what follows when a host says nonsense, nothing, or dies.
import test from 'ava'
import { FRAME, HOST_FRAME, TOLD } from '../../../../storm-compat/jvm/host-protocol.ts'
import type { SidecarTask } from '../../../../storm-compat/jvm/task-channel.ts'
import { batch, contextOf, fakeSidecar, frame } from './_host.ts'

interface Recorder extends SidecarTask {
  readonly heard: number[]
  readonly errors: string[]
  losses: number
}

function taskOf(taskId: number, opening: unknown = {}): Recorder {
  return {
    context: contextOf(taskId),
    heard: [],
    errors: [],
    losses: 0,
    opening: () => opening,
    batch(reader) {
      while (reader.more) {
        reader.u8()
        this.heard.push(reader.i32())
      }
    },
    lost() {
      this.losses++
    },
    reportError(error) {
      this.errors.push(error.message)
    },
  }
}

const acks = (channel: number, number: number) =>
  batch(channel, writer => {
    writer.u8(TOLD.ACK)
    writer.i32(number)
  })

test('after something that cannot be read nothing is heard of a host, which is ended', t => {
  const { sidecar, hosts } = fakeSidecar()
  const task = taskOf(1)
  sidecar.attach(task)
  const [host] = hosts
  host!.ready()
  const [channel] = host!.opened()
  host!.says(acks(channel!, 1))
  host!.says(
    acks(channel!, 2),
    frame(99, writer => writer.i32(channel!)),
    acks(channel!, 3),
  )
  t.true(host!.stopped)
  // Until it has gone it may go on speaking.
  host!.says(acks(channel!, 4))
  t.deepEqual(task.heard, [1, 2])
  host!.ends()
  t.is(task.losses, 1)
  t.regex(task.errors[0]!, /unknown kind 99/)
})

test('a frame of an impossible size ends the host', t => {
  const { sidecar, hosts } = fakeSidecar()
  sidecar.attach(taskOf(1))
  hosts[0]!.ready()
  hosts[0]!.says(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0]))
  t.true(hosts[0]!.stopped)
})

test('what a former opening of a task still says is not heard', async t => {
  const { sidecar, hosts } = fakeSidecar()
  sidecar.attach(taskOf(1))
  const before = taskOf(2)
  const first = sidecar.attach(before)
  const [host] = hosts
  host!.ready()
  const number = first.number
  host!.says(acks(number, 1))
  await sidecar.detach(first)
  const after = taskOf(2)
  const second = sidecar.attach(after)
  host!.says(acks(number, 1), acks(second.number, 7))
  t.deepEqual([before.heard, after.heard], [[1], [7]])
  // Nor when it threw, and is to be opened again.
  second.shut()
  host!.says(acks(second.number, 8))
  second.reopen()
  host!.says(acks(second.number, 9))
  t.deepEqual(after.heard, [7, 9])
})

test('a host that says nothing for a minute is ended, and another one started', t => {
  const { sidecar, hosts, clock } = fakeSidecar()
  const task = taskOf(1)
  sidecar.attach(task)
  hosts[0]!.ready()
  for (let i = 0; i < 20; i++) {
    clock.move(10_000)
    hosts[0]!.says(frame(HOST_FRAME.PONG, () => undefined))
  }
  t.false(hosts[0]!.stopped)
  t.is(hosts[0]!.count(FRAME.PING), 20)
  clock.move(60_000)
  t.false(hosts[0]!.stopped)
  clock.move(10_000)
  t.true(hosts[0]!.stopped)
  hosts[0]!.ends()
  t.regex(task.errors[0]!, /has said nothing for 60 s/)
  clock.move(10_000)
  t.is(hosts.length, 2)
})

test('an opening that cannot be written leaves nothing of it behind', t => {
  const { sidecar, hosts } = fakeSidecar()
  sidecar.attach(taskOf(1))
  hosts[0]!.ready()
  const wrong = taskOf(2, { text: 'long enough to be seen', wrong: () => undefined })
  t.throws(() => sidecar.attach(wrong), { code: 'VALUE_NOT_SERIALISABLE' })
  const right = sidecar.attach(taskOf(2))
  t.is(hosts[0]!.opened().length, 2)
  t.is(hosts[0]!.opened()[1], right.number)
})

test('what a task has written last leaves before it is forgotten', async t => {
  const { sidecar, hosts } = fakeSidecar()
  sidecar.attach(taskOf(1))
  const channel = sidecar.attach(taskOf(2))
  hosts[0]!.ready()
  channel.writer.u8(8)
  channel.flushSoon()
  await sidecar.detach(channel)
  t.is(hosts[0]!.records(channel.number).u8(), 8)
})

test('when a host dies, what its tasks have written meanwhile is for nobody', async t => {
  const { sidecar, hosts, clock } = fakeSidecar()
  const task = taskOf(1)
  const channel = sidecar.attach(task)
  hosts[0]!.ready()
  channel.writer.u8(8)
  channel.flushSoon()
  hosts[0]!.ends()
  t.is(task.losses, 1)
  clock.move(10_000)
  hosts[1]!.ready()
  await null
  t.false(hosts[1]!.records(channel.number).more)
  t.deepEqual(hosts[1]!.opened(), [channel.number])
})
