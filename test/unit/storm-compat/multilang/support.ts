// What the tests of shell components share: a context, tuples, collectors that write down what they are told, and
// waiting for the event loop without waiting for time.
import type {
  Conf,
  GroupingDescription,
  OutputCollector,
  SpoutOutputCollector,
  TopologyContext,
  Tuple,
  Values,
} from '../../../../storm-compat/component/api.ts'
import { ShellBolt } from '../../../../storm-compat/component/shell-bolt.ts'
import { ShellSpout } from '../../../../storm-compat/component/shell-spout.ts'
import {
  type FakeScript,
  FakeShell,
  ManualClock,
} from '../../../../storm-compat/multilang/fake-child.ts'
import type { Serializer } from '../../../../storm-compat/multilang/wire.ts'

export const COMMAND = { command: ['python3', 'split.py'], env: {}, changeChildCwd: true }

/** Lets everything that is due in this turn of the event loop happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}

type Message = Record<string, unknown>

/** The context of component `split`, task 3 of the little topology in the transcripts, or one from a handshake. */
export function contextFrom(
  message: Message = SPLIT_CONTEXT,
  extra: Partial<TopologyContext> = {},
) {
  const logged: string[] = []
  const metrics: [string, unknown][] = []
  const context: TopologyContext = {
    topologyName: 't',
    stormId: 't-1-1795277474',
    componentId: message.componentid as string,
    taskId: message.taskid as number,
    taskIndex: 0,
    taskToComponent: new Map(
      Object.entries(message['task->component'] as Message).map(([id, name]) => [
        Number(id),
        name as string,
      ]),
    ),
    componentTasks: () => [],
    streams: new Map(
      (message.streams as string[]).map(s => [
        s,
        (message['stream->outputfields'] as Message)[s] as string[],
      ]),
    ),
    targets: nested<GroupingDescription>(message['stream->target->grouping']),
    sources: nested<GroupingDescription>(message['source->stream->grouping']),
    sourceFields: nested<string[]>(message['source->stream->fields']),
    resources: '/nowhere',
    pidDir: '/pids',
    log: { write: (level, text) => logged.push(`${level}: ${text}`) },
    metric: (name, params) => metrics.push([name, params]),
    ...extra,
  }
  return { context, logged, metrics }
}

function nested<T>(value: unknown): Map<string, Map<string, T>> {
  return new Map(
    Object.entries(value as Record<string, Record<string, T>>).map(([key, inner]) => [
      key,
      new Map(Object.entries(inner)),
    ]),
  )
}

export const SPLIT_CONTEXT: Message = {
  'task->component': { '1': '__acker', '2': 'sp', '3': 'split', '4': 'count' },
  taskid: 3,
  componentid: 'split',
  streams: ['default'],
  'stream->outputfields': { default: ['word'] },
  'stream->target->grouping': { default: { count: { type: 'FIELDS', fields: ['word'] } } },
  'source->stream->grouping': { sp: { default: { type: 'SHUFFLE' } } },
  'source->stream->fields': { sp: { default: ['sentence'] } },
}

export function tupleOf(values: Values, from: Partial<Tuple> = {}): Tuple {
  return {
    values,
    sourceComponent: 'sp',
    sourceStream: 'default',
    sourceTask: 2,
    fields: values.map((_, i) => `f${i}`),
    get: () => undefined,
    ...from,
  }
}

/** A bolt's collector that keeps all it was told. */
export class BoltRecorder implements OutputCollector {
  readonly emits: { values: Values; anchors: readonly Tuple[]; stream: string; task?: number }[] =
    []
  readonly acked: Tuple[] = []
  readonly failed: Tuple[] = []
  readonly errors: Error[] = []
  ids: readonly number[] = [4]
  full: Promise<void> | undefined
  refuse: Error | undefined

  emit(
    values: Values,
    anchors?: Tuple | readonly Tuple[] | null,
    stream = 'default',
  ): readonly number[] {
    if (this.refuse !== undefined) throw this.refuse
    this.emits.push({ values, anchors: [anchors ?? []].flat() as Tuple[], stream })
    return this.ids
  }

  emitDirect(
    task: number,
    values: Values,
    anchors?: Tuple | readonly Tuple[] | null,
    stream = 'default',
  ): void {
    this.emits.push({ values, anchors: [anchors ?? []].flat() as Tuple[], stream, task })
  }

  ack(tuple: Tuple): void {
    this.acked.push(tuple)
  }

  fail(tuple: Tuple): void {
    this.failed.push(tuple)
  }

  resetTimeout(): void {
    throw new Error('no shell component can do this')
  }

  reportError(error: Error): void {
    this.errors.push(error)
  }

  ready(): Promise<void> | undefined {
    return this.full
  }
}

/** A spout's collector that keeps all it was told. */
export class SpoutRecorder implements SpoutOutputCollector {
  readonly emits: { values: Values; id: unknown; stream: string; task?: number }[] = []
  readonly errors: Error[] = []
  orphaned = 0
  ids: readonly number[] = [4]

  emit(values: Values, id?: unknown, stream = 'default'): readonly number[] {
    this.emits.push({ values, id, stream })
    return this.ids
  }

  emitDirect(task: number, values: Values, id?: unknown, stream = 'default'): void {
    this.emits.push({ values, id, stream, task })
  }

  reportError(error: Error): void {
    this.errors.push(error)
  }

  orphanAll(): void {
    this.orphaned++
  }

  exhausted(): void {
    throw new Error('no shell component says so')
  }
}

interface RigOptions {
  conf?: Conf
  script?: FakeScript
  serializer?: Serializer
  context?: Message
  command?: readonly string[]
}

/** A ShellBolt on a fake child that has shaken hands. */
export async function boltRig(options: RigOptions = {}) {
  const shell = new FakeShell(options.script, options.serializer)
  const clock = new ManualClock()
  const collector = new BoltRecorder()
  const seen = contextFrom(options.context)
  const command = { ...COMMAND, command: options.command ?? COMMAND.command }
  const bolt = new ShellBolt(command, { spawn: shell.spawn, clock })
  const prepared = bolt.prepare(options.conf ?? {}, seen.context, collector)
  await settle()
  return { shell, clock, collector, bolt, prepared, ...seen }
}

/** A ShellSpout on a fake child that has shaken hands. */
export async function spoutRig(options: RigOptions = {}) {
  const shell = new FakeShell(options.script, options.serializer)
  const clock = new ManualClock()
  const collector = new SpoutRecorder()
  const seen = contextFrom(options.context ?? { ...SPLIT_CONTEXT, componentid: 'sp', taskid: 2 })
  const command = { ...COMMAND, command: options.command ?? COMMAND.command }
  const spout = new ShellSpout(command, { spawn: shell.spawn, clock })
  const opened = spout.open(options.conf ?? {}, seen.context, collector)
  await settle()
  return { shell, clock, collector, spout, opened, ...seen }
}

/** Whether a promise has settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const mark = (): void => {
    settled = true
  }
  promise.then(mark, mark)
  await settle()
  return settled
}
