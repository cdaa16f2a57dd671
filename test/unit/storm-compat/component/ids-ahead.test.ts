// Task ids sent before the emits that they answer: which, how many, and that each emit goes where its list said.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Tuple, Values } from '../../../../storm-compat/component/api.ts'
import type {
  ForeseeingCollector,
  Foresight,
} from '../../../../storm-compat/component/foresight.ts'
import { ShellBolt } from '../../../../storm-compat/component/shell-bolt.ts'
import { FakeShell, ManualClock } from '../../../../storm-compat/multilang/fake-child.ts'
import { AHEAD_IDS_MAX, AHEAD_MAX } from '../../../../storm-compat/multilang/ids-ahead.ts'
import { msgpackSerializer } from '../../../../storm-compat/multilang/msgpack-framing.ts'
import type { Serializer } from '../../../../storm-compat/multilang/wire.ts'
import { BoltRecorder, COMMAND, contextFrom, settle, tupleOf } from '../multilang/support.ts'

const LIBRARY = `
def readTaskIds():
    if pending_taskids:
        return pending_taskids.popleft()
    while type(msg) is not list:
        pending_commands.append(msg)
def readCommand():
    while type(msg) is list:
        pending_taskids.append(msg)
`

/** Its consumers take turns: 10, 11, 12, 13, 10… What it was told is kept with the tasks it went to. */
class Turns extends BoltRecorder implements ForeseeingCollector {
  next = 0
  targets = 4
  foresees = true
  readonly went: { values: Values; ids: readonly number[]; stream: string }[] = []
  readonly #list: number

  constructor(list = 1) {
    super()
    this.#list = list
  }

  foresight(): Foresight | undefined {
    if (!this.foresees) return undefined
    return {
      take: () => this.#take(),
      emit: (ids, values, anchors, stream) => {
        super.emit(values, anchors, stream)
        this.went.push({ values, ids, stream })
      },
    }
  }

  override emit(values: Values, anchors?: Tuple | readonly Tuple[] | null, stream = 'default') {
    super.emit(values, anchors, stream)
    const ids = this.#take()
    this.went.push({ values, ids, stream })
    return ids
  }

  #take(): readonly number[] {
    return Array.from({ length: this.#list }, () => 10 + (this.next++ % this.targets))
  }
}

interface RigOptions {
  readonly collector?: Turns
  readonly conf?: Record<string, unknown>
  readonly library?: string
  readonly serializer?: Serializer
}

async function rig(t: ExecutionContext, options: RigOptions = {}) {
  const resources = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(resources, { recursive: true, force: true }))
  writeFileSync(join(resources, 'split.py'), 'import storm\n')
  writeFileSync(join(resources, 'storm.py'), options.library ?? LIBRARY)
  const shell = new FakeShell(undefined, options.serializer)
  const clock = new ManualClock()
  const collector = options.collector ?? new Turns()
  const bolt = new ShellBolt(COMMAND, { spawn: shell.spawn, clock })
  void bolt.prepare(options.conf ?? {}, contextFrom(undefined, { resources }).context, collector)
  await settle()
  const lists = (child = shell.child) => child.received.filter(Array.isArray) as number[][]
  return { shell, clock, collector, bolt, lists }
}

const emit = (value: unknown, more = {}) => ({ command: 'emit', tuple: [value], ...more })

test('nothing is sent ahead before the first emit; then the answer and the next ones leave in one write', async t => {
  const { shell, bolt, lists } = await rig(t)
  void bolt.execute(tupleOf(['a']))
  await settle()
  t.deepEqual(lists(), [])
  const before = shell.child.writes.length
  shell.child.send(emit(0))
  t.is(shell.child.writes.length, before + 1)
  t.is(lists().length, 1 + AHEAD_MAX)
})

test('each emit goes to the tasks of its list, in the order of the lists, over many refills', async t => {
  const { shell, collector, lists } = await rig(t)
  const emits = 5 * AHEAD_MAX + 7
  for (let i = 0; i < emits; i += 3) shell.child.send(emit(i), emit(i + 1), emit(i + 2))
  t.deepEqual(
    collector.went.map(({ values, ids }) => [values[0], ids]),
    lists()
      .slice(0, collector.went.length)
      .map((ids, i) => [i, ids]),
  )
  t.true(collector.went.length >= emits)
})

test('a child never has more than the bound ahead, and is written to once per half of it', async t => {
  const { shell, lists } = await rig(t)
  shell.child.send(emit(0))
  let writes = shell.child.writes.length
  for (let used = 1; used <= AHEAD_MAX; used++) {
    shell.child.send(emit(used))
    t.true(lists().length - 1 - used <= AHEAD_MAX)
    t.true(lists().length - 1 - used >= AHEAD_MAX / 2)
  }
  writes = shell.child.writes.length - writes
  t.is(writes, 2)
})

test('long lists are fewer: their ids are bounded together', async t => {
  const { shell, lists } = await rig(t, { collector: new Turns(500) })
  shell.child.send(emit(0))
  const ahead = lists().length - 1
  t.true(ahead * 500 < AHEAD_IDS_MAX + 500, `${ahead} lists`)
  t.true(ahead > 1)
})

test('emits that want no ids, and direct ones, use up no list', async t => {
  const { shell, collector, lists } = await rig(t)
  shell.child.send(emit(0))
  shell.child.send(emit('quiet', { need_task_ids: false }), emit('direct', { task: 11 }), emit(1))
  const asked = collector.went.filter(({ values }) => typeof values[0] === 'number')
  t.deepEqual(
    asked.map(({ ids }) => ids),
    lists().slice(0, 2),
  )
  t.is(collector.emits.find(({ values }) => values[0] === 'direct')!.task, 11)
})

test('an emit that says itself that it wants ids is answered, and starts nothing', async t => {
  const { shell, lists } = await rig(t)
  shell.child.send(emit(0, { need_task_ids: true }))
  t.deepEqual(lists(), [[10]])
})

test('emits out of turn, ticks and heartbeats change nothing in the order', async t => {
  const { shell, bolt, clock, collector, lists } = await rig(t)
  shell.child.send(emit(0))
  clock.advance(1_000)
  void bolt.execute(
    tupleOf([7], { sourceComponent: '__system', sourceStream: '__tick', sourceTask: -1 }),
  )
  await settle()
  shell.child.send({ command: 'sync' }, emit(1))
  await settle()
  shell.child.send(emit(2), { command: 'ack', id: '2' })
  t.deepEqual(
    collector.went.map(({ ids }) => ids),
    lists().slice(0, 3),
  )
  t.is(collector.acked.length, 1)
})

test('after a death the new child has nothing ahead until it asks, and its lists are kept like the first', async t => {
  const { shell, collector, lists } = await rig(t)
  shell.child.send(emit(0), emit(1))
  const first = shell.child
  first.exit(1)
  await settle()
  t.is(shell.children.length, 2)
  t.deepEqual(lists(), [])
  shell.child.send(emit(2), emit(3))
  t.deepEqual(
    collector.went.slice(0, 2).map(({ ids }) => ids),
    lists(first).slice(0, 2),
  )
  t.deepEqual(
    collector.went.slice(2).map(({ ids }) => ids),
    lists().slice(0, 2),
  )
})

test('the anchors and the stream of an emit with a list are its own', async t => {
  const { shell, bolt, collector } = await rig(t)
  const tuple = tupleOf(['a'])
  void bolt.execute(tuple)
  await settle()
  shell.child.send(emit(0), emit(1, { anchors: ['1'], stream: 'side' }))
  t.deepEqual(collector.emits[1], { values: [1], anchors: [tuple], stream: 'side' })
})

const offs: Record<string, RigOptions> = {
  'the setting says no': { conf: { 'wire.task.ids.ahead': false } },
  'the child speaks MessagePack': {
    conf: { 'topology.multilang.serializer': 'msgpack' },
    serializer: msgpackSerializer,
  },
  'the library does not queue': { library: 'def readTaskIds():\n    return readMsg()\n' },
  'the answers are not known': { collector: Object.assign(new Turns(), { foresees: false }) },
}

for (const [title, options] of Object.entries(offs)) {
  test(`where ${title}, each emit is answered after it and nothing comes before`, async t => {
    const { shell, lists } = await rig(t, options)
    shell.child.send(emit(0), emit(1))
    t.deepEqual(lists(), [[10], [11]])
  })
}
