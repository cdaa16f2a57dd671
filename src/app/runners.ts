// Builds the runners of one executor from a DAG and a plan: which tasks are here, what each emits to, and by which
// partitioner. Done once at start; the hot path only walks what is built here.
import type { Dag, Edge, ProcessorSpec } from '../dag/graph.ts'
import { NONE, type Slot } from '../progress/slot-ledger.ts'
import type { ContextParts } from '../task/base-context.ts'
import type { Emitter, Target } from '../task/flow.ts'
import type { Way } from '../task/inbox.ts'
import type { LocalTasks } from '../task/inlet.ts'
import { compileEdge, PortOutlet, type Targets } from '../task/out-edge.ts'
import { ALL_LOCAL, type Outbox, RemoteTask } from '../task/outbox.ts'
import type { RunnerHost } from '../task/runner-host.ts'
import { SourceRunnerContext } from '../task/source-context.ts'
import { SourceRunner } from '../task/source-runner.ts'
import type { Task } from '../task/task.ts'
import { RunnerContext } from '../task/task-context.ts'
import { guardCycle, TaskRunner } from '../task/task-runner.ts'
import type { Application } from './application.ts'
import type { Plan } from './plan.ts'

/** Where remote tasks are: what the runners need of the links. */
export interface RemoteTasks {
  remote(taskId: number): RemoteTask
}

interface Entry<Runner, Context> {
  readonly runner: Runner
  readonly context: Context
  readonly create: () => unknown
}

type TaskEntry = Entry<TaskRunner<RunnerContext>, RunnerContext>
type SourceEntry = Entry<SourceRunner<SourceRunnerContext>, SourceRunnerContext>

export class Runners implements LocalTasks {
  /** Index = number of the source in the ledger. */
  readonly sources: SourceRunner<SourceRunnerContext>[] = []
  readonly sourceEntries: SourceEntry[] = []
  readonly taskEntries: TaskEntry[] = []
  readonly names = new Map<number, string>()
  readonly contexts = new Map<number, RunnerContext>()
  readonly started = new Map<number, Task<unknown, unknown>>()
  readonly byId = new Map<number, TaskRunner<RunnerContext>>()
  readonly byEdge = new Map<number, TaskRunner<RunnerContext>[]>()
  readonly #host: RunnerHost
  readonly #peers: RemoteTasks

  constructor(host: RunnerHost, peers: RemoteTasks) {
    this.#host = host
    this.#peers = peers
  }

  all(): readonly TaskRunner<RunnerContext>[] {
    return this.#all
  }
  readonly #all: TaskRunner<RunnerContext>[] = []

  add(runner: TaskRunner<RunnerContext>): void {
    this.#all.push(runner)
    this.byId.set(runner.taskId, runner)
  }

  tasksDownstreamFirst(): readonly TaskEntry[] {
    return [...this.taskEntries].sort((a, b) => b.runner.level - a.runner.level)
  }

  task(taskId: number): TaskRunner<never> | undefined {
    return this.byId.get(taskId) as TaskRunner<never> | undefined
  }

  ofEdge(edge: number): readonly TaskRunner<never>[] {
    return (this.byEdge.get(edge) ?? []) as unknown as readonly TaskRunner<never>[]
  }

  misdirected(taskId: number, edge: number, source: number, value: unknown, slot: Slot): void {
    const ledger = this.#host.ledger
    const elsewhere = this.names.has(taskId) ? this.#peers.remote(taskId) : undefined
    if (elsewhere === undefined) {
      if (slot !== NONE) ledger.fail(slot)
      return
    }
    elsewhere.outbox.append(taskId, edge, source, value, slot)
    if (slot !== NONE) ledger.release(slot)
  }
}

export function buildRunners(
  host: RunnerHost,
  app: Application,
  plan: Plan,
  peers: RemoteTasks,
): Runners {
  const runners = new Runners(host, peers)
  const placement = new Map(plan.placement)
  const several = plan.executors.length > 1
  for (const spec of app.dag.processors) {
    for (const taskId of spec.tasks) {
      runners.names.set(taskId, spec.name)
      if (placement.get(taskId) !== host.executorId || spec.kind === 'source') continue
      // Origins must be known when messages may come over a link; edges and sources when the task asks for them.
      const tagged =
        several ||
        (spec.create as { needsOrigin?: boolean }).needsOrigin === true ||
        wantsOrigin(spec)
      runners.add(
        new TaskRunner<RunnerContext>(host, { taskId, level: Math.max(1, spec.level), tagged }),
      )
    }
  }
  const targets = buildTargets(host, app.dag, runners, peers)
  for (const edge of app.dag.edges) {
    const here = app.dag.processors[edge.target]!.tasks.map(id => runners.byId.get(id)).filter(
      r => r !== undefined,
    )
    runners.byEdge.set(edge.id, here)
  }
  for (const spec of app.dag.processors) {
    const shared = {
      spec,
      config: { ...app.config, ...spec.config },
      ports: portsOf(app.dag, spec),
    }
    spec.tasks.forEach((taskId, index) => {
      if (placement.get(taskId) === host.executorId)
        addEntry(host, app, shared, index, runners, targets)
    })
  }
  return runners
}

/** A processor says by `config.needsOrigin` that its tasks ask where inputs came from. */
function wantsOrigin(spec: ProcessorSpec): boolean {
  return spec.config.needsOrigin === true
}

/** What the tasks of a processor have in common, made once for all of them. */
interface Shared {
  readonly spec: ProcessorSpec
  /** The application's settings overlaid by the processor's. */
  readonly config: Readonly<Record<string, unknown>>
  readonly ports: ReadonlyMap<string, readonly Edge[]>
}

function addEntry(
  host: RunnerHost,
  app: Application,
  shared: Shared,
  index: number,
  runners: Runners,
  targets: ReadonlyMap<number, Targets>,
): void {
  const { spec, config, ports } = shared
  const taskId = spec.tasks[index]!
  const place = {
    taskId,
    processor: spec.name,
    index,
    parallelism: spec.tasks.length,
    executorId: host.executorId,
    config,
  }
  const parts = (from: Emitter): ContextParts => ({
    place,
    outlets: buildOutlets(host, ports, index, from, targets),
  })
  if (spec.kind === 'source') {
    const runner = new SourceRunner<SourceRunnerContext>(host, {
      number: runners.sources.length,
      taskId,
      maxOpenRoots: numberOf(spec.config.maxOpenRoots, app.profile.maxOpenRoots),
      idleWaitMs: numberOf(spec.config.idleWaitMs, 1),
    })
    runners.sources.push(runner)
    runners.sourceEntries.push({
      runner,
      context: new SourceRunnerContext(runner, parts(runner)),
      create: spec.create,
    })
    return
  }
  const runner = runners.byId.get(taskId)!
  const context = new RunnerContext(runner, parts(runner))
  runners.contexts.set(taskId, context)
  runners.taskEntries.push({ runner, context, create: spec.create })
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function portsOf(dag: Dag, spec: ProcessorSpec): Map<string, Edge[]> {
  const ports = new Map<string, Edge[]>()
  for (const edge of dag.edges) {
    if (edge.source !== spec.id) continue
    const edges = ports.get(edge.port)
    if (edges === undefined) ports.set(edge.port, [edge])
    else edges.push(edge)
  }
  return ports
}

const NO_OUTLETS: ReadonlyMap<string, PortOutlet> = new Map()

function buildOutlets(
  host: RunnerHost,
  ports: ReadonlyMap<string, readonly Edge[]>,
  index: number,
  from: Emitter,
  targets: ReadonlyMap<number, Targets>,
): ReadonlyMap<string, PortOutlet> {
  if (ports.size === 0) return NO_OUTLETS
  const outlets = new Map<string, PortOutlet>()
  for (const [port, edges] of ports) {
    const compiled = edges.map(edge => compileEdge(host, edge, targets.get(edge.id)!, from, index))
    outlets.set(port, new PortOutlet(from, compiled))
  }
  return outlets
}

// Shared by all emitters of an edge: 10,000 tasks must not have 10,000 lists.
function buildTargets(
  host: RunnerHost,
  dag: Dag,
  runners: Runners,
  peers: RemoteTasks,
): Map<number, Targets> {
  const ofProcessor = new Map<number, Targets>()
  const targets = new Map<number, Targets>()
  for (const edge of dag.edges) {
    let of = ofProcessor.get(edge.target)
    if (of === undefined) {
      const all = dag.processors[edge.target]!.tasks.map(
        id => runners.byId.get(id) ?? peers.remote(id),
      )
      of = new EdgeTargets(host, all)
      ofProcessor.set(edge.target, of)
    }
    targets.set(edge.id, of)
  }
  return targets
}

class EdgeTargets implements Targets {
  readonly all: readonly Target[]
  readonly local: readonly Target[]
  readonly byTaskId: ReadonlyMap<number, Target>
  readonly #remote: readonly RemoteTask[]
  readonly #host: RunnerHost

  constructor(host: RunnerHost, all: readonly Target[]) {
    this.#host = host
    this.all = all
    this.local = all.filter(target => !(target instanceof RemoteTask))
    this.#remote = all.filter(target => target instanceof RemoteTask)
    this.byTaskId = new Map(all.map(target => [target.taskId, target]))
  }

  broadcast(value: unknown, slot: Slot, way: Way, from: Emitter, exempt: boolean): void {
    for (const target of this.local) {
      if (target.deliver(value, slot, way, from)) this.#wait(target, from, exempt)
    }
    if (this.#remote.length > 0) this.#broadcastRemote(value, slot, way, from, exempt)
  }

  // One message per executor; credit is counted for each task that gets it.
  #broadcastRemote(value: unknown, slot: Slot, way: Way, from: Emitter, exempt: boolean): void {
    let sent: Outbox[] | undefined
    for (const target of this.#remote) {
      const box = target.outbox
      if (sent?.includes(box) !== true) {
        // Before anything is counted: it throws for a value that cannot be sent.
        box.append(ALL_LOCAL, way.edge, way.source, value, slot)
        if (sent === undefined) sent = [box]
        else sent.push(box)
      }
      const pair = box.pair(from, target.taskId)
      pair.pending++
      if (pair.pending >= pair.window) this.#wait(target, from, exempt)
    }
  }

  #wait(target: Target, from: Emitter, exempt: boolean): void {
    if (exempt) guardCycle(this.#host, target, from)
    else from.block(target)
  }
}
