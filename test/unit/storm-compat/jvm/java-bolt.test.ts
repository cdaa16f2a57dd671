// Java bolts and spouts over a host that is no process: back pressure by number and by bytes, in both directions, and what becomes
// of emits that the topology does not allow.
import test from 'ava'
import { EngineError } from 'gearpump/spi'
import type {
  OutputCollector,
  SpoutOutputCollector,
} from '../../../../storm-compat/component/api.ts'
import { type Origin, TICK_ORIGIN, TupleImpl } from '../../../../storm-compat/component/tuple.ts'
import { EMIT_FLAG, FRAME, ORDER, TOLD } from '../../../../storm-compat/jvm/host-protocol.ts'
import { JavaBolt } from '../../../../storm-compat/jvm/java-bolt.ts'
import { ChosenTasks } from '../../../../storm-compat/jvm/java-groupings.ts'
import { JavaSpout } from '../../../../storm-compat/jvm/java-spout.ts'
import type { WireWriter } from '../../../../storm-compat/jvm/wire-writer.ts'
import { batch, contextOf, type FakeHost, fakeSidecar, type ManualClock } from './_host.ts'

const ORIGIN: Origin = { component: 'words', stream: 'default', fields: ['word'], input: 1 }
const MIB = 1024 * 1024

interface Emitted {
  readonly values: readonly unknown[]
  readonly anchored: boolean
}

/** Keeps what a bolt does; while `full` there is no room. */
class Collector implements Partial<OutputCollector> {
  readonly emitted: Emitted[] = []
  readonly failed: unknown[] = []
  full: { promise: Promise<void>; open: () => void } | undefined = undefined

  emit = (values: readonly unknown[], anchors?: unknown): readonly number[] => {
    this.emitted.push({ values, anchored: anchors !== null })
    return [this.emitted.length]
  }
  ack = (): void => undefined
  fail = (tuple: unknown): void => void this.failed.push(tuple)
  ready = (): Promise<void> | undefined => this.full?.promise
  reportError = (): void => undefined

  fill(): () => void {
    let open: () => void = () => undefined
    const promise = new Promise<void>(resolve => {
      open = resolve
    })
    const full = { promise, open }
    this.full = full
    return () => {
      this.full = undefined
      full.open()
    }
  }
}

async function openBolt(): Promise<{
  bolt: JavaBolt
  host: FakeHost
  hosts: FakeHost[]
  clock: ManualClock
  collector: Collector
}> {
  const { sidecar, hosts, clock } = fakeSidecar()
  const collector = new Collector()
  const bolt = new JavaBolt({
    sidecar,
    object: { bytes: Buffer.alloc(1) } as never,
    className: 'Count',
    groupings: [],
    chosen: new ChosenTasks(),
    longsOf: new Set(),
  })
  const prepared = bolt.prepare({}, contextOf(7), collector as unknown as OutputCollector)
  const [host] = hosts
  host!.ready()
  tell(host!, writer => writer.u8(TOLD.OPENED))
  await prepared
  return { bolt, host: host!, hosts, clock, collector }
}

function tell(host: FakeHost, write: (writer: WireWriter) => void): void {
  host.says(batch(host.opened().at(-1)!, write))
}

function tupleOf(text: string): TupleImpl {
  const tuple = new TupleImpl([text], ORIGIN, 3)
  tuple.open = true
  return tuple
}

async function settled(promise: Promise<void> | undefined): Promise<boolean> {
  if (promise === undefined) return true
  let done = false
  void promise.then(() => {
    done = true
  })
  for (let i = 0; i < 5; i++) await null
  return done
}

const executed = (count: number, bytes: number) => (writer: WireWriter) => {
  writer.u8(TOLD.EXECUTED)
  writer.i32(count)
  writer.i32(bytes)
}

test('a bolt takes no more tuples while a megabyte of them is not executed', async t => {
  const { bolt, host } = await openBolt()
  const text = 'x'.repeat(300 * 1024)
  const room = [1, 2, 3].map(() => bolt.execute(tupleOf(text)))
  t.deepEqual(room, [undefined, undefined, undefined])
  const full = bolt.execute(tupleOf(text))
  t.false(await settled(full))
  tell(host, executed(2, 600 * 1024))
  t.false(await settled(full), 'more than half is left')
  tell(host, executed(1, 300 * 1024))
  t.true(await settled(full))
})

test('the host’s count of bytes is ours', async t => {
  const { bolt, host } = await openBolt()
  void bolt.execute(tupleOf('four'))
  await null
  const records = host.records(host.opened()[0]!)
  // Kind, origin, number, task, count of values, and a text with its type and length.
  t.is(records.u8(), ORDER.EXECUTE)
  records.count()
  records.i32()
  records.i32()
  t.deepEqual(records.values(), ['four'])
  t.is(records.at, 1 + 1 + 4 + 4 + 1 + 2 + 4)
})

test('ticks that a stopped host does not execute hold the bolt up as tuples do', async t => {
  const { bolt } = await openBolt()
  let full: Promise<void> | undefined
  for (let i = 0; i < 2_000 && full === undefined; i++) {
    full = bolt.execute(new TupleImpl([1], TICK_ORIGIN, -1))
  }
  t.false(await settled(full))
})

test('the host is given room for its emits by number and by bytes, once there is room for them', async t => {
  const { host, collector } = await openBolt()
  const emit = (text: string) => (writer: WireWriter) => {
    writer.u8(TOLD.EMIT)
    writer.u8(0)
    writer.count(0)
    writer.values([text])
  }
  const before = collector.fill()
  for (let i = 0; i < 3; i++) tell(host, emit('y'.repeat(400 * 1024)))
  t.is(collector.emitted.length, 3)
  for (let i = 0; i < 5; i++) await null
  t.is(host.count(FRAME.CREDIT), 0)
  before()
  for (let i = 0; i < 5; i++) await null
  const [credit] = host.frames.filter(({ kind }) => kind === FRAME.CREDIT)
  t.is(credit!.content.readInt32BE(4), 3)
  // Kind, flags, stream, count of values, type, and a length of three bytes.
  t.is(credit!.content.readInt32BE(8), 3 * (400 * 1024 + 5 + 3))
  t.true(credit!.content.readInt32BE(8) >= MIB)
})

test('room that one host has waited for is not given to its successor', async t => {
  const { host, hosts, clock, collector } = await openBolt()
  const open = collector.fill()
  for (let i = 0; i < 1_024; i++) {
    tell(host, writer => {
      writer.u8(TOLD.EMIT)
      writer.u8(0)
      writer.count(0)
      writer.values(['y'])
    })
  }
  host.ends()
  clock.move(10_000)
  hosts[1]!.ready()
  t.is(hosts[1]!.opened().length, 1)
  open()
  for (let i = 0; i < 5; i++) await null
  t.is(hosts[1]!.count(FRAME.CREDIT), 0)
})

test('an emit of a thread that has outlived its component is dropped', async t => {
  const { bolt, host, collector } = await openBolt()
  const tuple = tupleOf('held')
  void bolt.execute(tuple)
  await null
  tell(host, writer => {
    writer.u8(TOLD.THREW)
    writer.text('java.lang.IllegalStateException')
    writer.u8(TOLD.EMIT)
    writer.u8(0)
    writer.count(0)
    writer.values(['late'])
  })
  t.deepEqual(collector.failed, [tuple])
  t.deepEqual(collector.emitted, [])
})

test('a spout’s id whose emit the topology refuses is failed, and no longer counted as open', async t => {
  const { sidecar, hosts } = fakeSidecar()
  const spout = new JavaSpout({
    sidecar,
    object: { bytes: Buffer.alloc(1) } as never,
    className: 'Sentences',
    groupings: [],
    chosen: new ChosenTasks(),
  })
  const errors: Error[] = []
  const collector = {
    emit: () => {
      throw new EngineError(
        'TOPOLOGY_INVALID',
        'sentences[task 3] emits 2 values on stream "default"',
      )
    },
    reportError: (error: Error) => errors.push(error),
  }
  const conf = { 'topology.max.spout.pending': 2 }
  const opened = spout.open(conf, contextOf(3), collector as unknown as SpoutOutputCollector)
  const [host] = hosts
  host!.ready()
  tell(host!, writer => writer.u8(TOLD.OPENED))
  await opened
  for (const id of [1, 2, 3]) {
    tell(host!, writer => {
      writer.u8(TOLD.EMIT)
      writer.u8(EMIT_FLAG.WITH_ID)
      writer.count(0)
      writer.i32(id)
      writer.values(['a', 'b'])
    })
  }
  void spout.nextTuple()
  await null
  const records = host!.records(host!.opened()[0]!)
  for (const id of [1, 2, 3]) t.deepEqual([records.u8(), records.i32()], [ORDER.FAILED, id])
  t.deepEqual([records.u8(), records.i32()], [ORDER.NEXT, 2])
  t.is(errors.length, 3)
})
