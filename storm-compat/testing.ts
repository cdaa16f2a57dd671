// Runs a topology to its end with spouts whose tuples the test gives, and returns what every component emitted: Storm's
// completeTopology. The topology runs as it would anywhere (translated, in the engine, shell components as processes); only
// the mocked spouts are replaced, and emits are noted down.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Application,
  type ConnectOptions,
  connect,
  EngineError,
  type RunFigures,
  type RunningApp,
  UserError,
} from 'gearpump'
import { nearestName, type Outlet, type Problem } from 'gearpump/spi'
import type { Conf, Spout, SpoutOutputCollector, TopologyContext, Values } from './component/api.ts'
import type { StormTopology } from './topology/topology.ts'
import { translate } from './translate/translate.ts'

/** Tuples of a mocked spout: on its default stream, or by stream. */
export type MockTuples = readonly Values[] | Readonly<Record<string, readonly Values[]>>

export interface CompleteOptions {
  /** Tuples by spout id. Each is emitted once, with a message id; dealt out in turn if the spout has several tasks. */
  readonly mockSources?: Readonly<Record<string, MockTuples>>
  /** Settings that win over the topology's own. */
  readonly config?: Conf
  /** Working directory of shell components. `resources` in the current one if not given. */
  readonly resources?: string
  /** Spouts that are not mocked have ended when they were silent for so long, ms. 500 if not given. */
  readonly idleMs?: number
  /** The run is given up after so long, ms. 10,000 if not given. */
  readonly withinMs?: number
  /** Virtual time, for tick tuples and time-outs; not with shell components. */
  readonly environment?: NonNullable<ConnectOptions['environment']>
}

export interface CompletedTopology {
  /** Values that a component emitted on a stream (`default` if not given), all its tasks together, in order. */
  tuples(component: string, stream?: string): readonly Values[]
  /** Tuples of mocked spouts that failed. */
  readonly failed: readonly Values[]
  readonly figures: RunFigures
  /** Last errors by component. */
  readonly errors: Readonly<Record<string, readonly string[]>>
}

const IDLE_MS = 500
const WITHIN_MS = 10_000

/**
 * Runs a topology until every tuple of its spouts is acked or failed.
 *
 * @example
 * const done = await completeTopology(builder.createTopology('wc'), { mockSources: { lines: [['to be'], ['or not']] } })
 * t.deepEqual(done.tuples('split'), [['to'], ['be'], ['or'], ['not']])
 */
export async function completeTopology(
  topology: StormTopology,
  options: CompleteOptions = {},
): Promise<CompletedTopology> {
  const notes = new Notes()
  const mocked = withMocks(topology, options, notes)
  const runDir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  const { environment } = options
  const gear = await connect(environment === undefined ? {} : { environment })
  try {
    const { application } = translate(mocked, {
      resources: options.resources ?? 'resources',
      pidDir: runDir,
      startedMs: Date.now(),
    })
    const running = await gear.submit(noting(application, notes))
    await drained(running, options)
    const info = await running.info()
    return {
      tuples: (component, stream = 'default') => notes.tuples(topology, component, stream),
      failed: notes.failed,
      figures: info.figures,
      errors: Object.fromEntries(
        Object.entries(info.errors).map(([id, { last }]) => [id, last.map(error => error.message)]),
      ),
    }
  } finally {
    await gear.close()
    rmSync(runDir, { recursive: true, force: true })
  }
}

class Notes {
  readonly failed: Values[] = []
  readonly #tuples = new Map<string, Map<string, Values[]>>()

  add(component: string, stream: string, values: Values): void {
    const streams = this.#tuples.get(component) ?? new Map<string, Values[]>()
    this.#tuples.set(component, streams)
    const tuples = streams.get(stream)
    if (tuples === undefined) streams.set(stream, [values])
    else tuples.push(values)
  }

  tuples(topology: StormTopology, component: string, stream: string): readonly Values[] {
    if (topology.components.some(({ id }) => id === component)) {
      return this.#tuples.get(component)?.get(stream) ?? []
    }
    const near = nearestName(
      component,
      topology.components.map(({ id }) => id),
    )
    throw new EngineError(
      'BAD_INPUT',
      `topology "${topology.name}" has no component "${component}"`,
      {
        ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
      },
    )
  }
}

function withMocks(topology: StormTopology, options: CompleteOptions, notes: Notes): StormTopology {
  const { mockSources = {}, config = {} } = options
  const spouts = topology.components.filter(({ kind }) => kind === 'spout').map(({ id }) => id)
  const problems = Object.keys(mockSources)
    .filter(id => !spouts.includes(id))
    .map((id): Problem => {
      const near = nearestName(id, spouts)
      const hint = near === undefined ? {} : { hint: `did you mean "${near}"?` }
      return {
        place: `mockSources.${id}`,
        message: 'the topology has no spout of this name',
        ...hint,
      }
    })
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'mocked sources', problems)
  return {
    ...topology,
    config: { ...topology.config, ...config },
    components: topology.components.map(component => {
      const tuples = mockSources[component.id]
      if (tuples === undefined) return component
      const byStream = isList(tuples) ? { default: tuples } : tuples
      const create = () => new MockSpout(byStream, notes)
      return { ...component, implementation: { kind: 'spout', create } }
    }),
  }
}

function isList(tuples: MockTuples): tuples is readonly Values[] {
  return Array.isArray(tuples)
}

/** Emits given tuples once each. */
class MockSpout implements Spout {
  readonly #byStream: Readonly<Record<string, readonly Values[]>>
  readonly #notes: Notes
  #left: { stream: string; values: Values }[] = []
  #collector!: SpoutOutputCollector

  constructor(byStream: Readonly<Record<string, readonly Values[]>>, notes: Notes) {
    this.#byStream = byStream
    this.#notes = notes
  }

  open(_conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): void {
    this.#collector = collector
    const tasks = context.componentTasks(context.componentId).length
    this.#left = Object.entries(this.#byStream).flatMap(([stream, tuples]) =>
      tuples.filter((_, i) => i % tasks === context.taskIndex).map(values => ({ stream, values })),
    )
  }

  nextTuple(): void {
    const next = this.#left.shift()
    // The tuple is its own message id, so that a failed one can be shown.
    if (next !== undefined) this.#collector.emit(next.values, next, next.stream)
    else this.#collector.exhausted()
  }

  fail(id: unknown): void {
    this.#notes.failed.push((id as { values: Values }).values)
  }

  declareOutputFields(): void {
    // The topology keeps the streams of the spout that is mocked.
  }
}

// Components emit through the outlets of their streams, which they ask their context for.
function noting(application: Application, notes: Notes): Application {
  const processors = application.dag.processors.map(spec => {
    const create = () => {
      const made = spec.create() as Record<string, unknown>
      for (const begin of ['open', 'onStart']) {
        const original = made[begin] as ((context: object) => unknown) | undefined
        if (original !== undefined) {
          made[begin] = (context: object) => original.call(made, faceOf(context, spec.name, notes))
        }
      }
      return made
    }
    return { ...spec, create }
  })
  return { ...application, dag: { ...application.dag, processors } }
}

function faceOf(context: object, component: string, notes: Notes): object {
  const outlet = (stream: string) => {
    const real = (context as { outlet(port: string): Outlet | undefined }).outlet(stream)
    return notingOutlet(real, values => notes.add(component, stream, values))
  }
  return new Proxy(context, {
    get: (target, key) => {
      if (key === 'outlet') return outlet
      const value: unknown = Reflect.get(target, key, target)
      // Private fields are found on the real object only.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

// A stream nobody listens to has no outlet; what is emitted there counts all the same.
function notingOutlet(real: Outlet | undefined, note: (values: Values) => void): Outlet {
  return {
    emit: (values, slot) => {
      const target = real?.emit(values, slot) ?? -1
      note(values as Values)
      return target
    },
    emitTo: (taskId, values, slot) => {
      const found = real?.emitTo(taskId, values, slot) ?? false
      note(values as Values)
      return found
    },
    get targets() {
      return real?.targets ?? []
    },
    get targeting() {
      return real?.targeting ?? 'always'
    },
    reserve: () => real?.reserve() ?? [],
    emitReserved: (taskIds, values, slot) => {
      real?.emitReserved(taskIds, values, slot)
      note(values as Values)
    },
  }
}

async function drained(running: RunningApp, options: CompleteOptions): Promise<void> {
  const withinMs = options.withinMs ?? WITHIN_MS
  let timer: { cancel(): void } | undefined
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(notEnding(running.name, withinMs))
    if (options.environment !== undefined) timer = options.environment.after(withinMs, give)
    else {
      const timeout = setTimeout(give, withinMs)
      timer = { cancel: () => clearTimeout(timeout) }
    }
  })
  try {
    await Promise.race([running.drained({ idleMs: options.idleMs ?? IDLE_MS }), late])
  } finally {
    timer?.cancel()
  }
}

function notEnding(name: string, withinMs: number): EngineError {
  return new EngineError(
    'BAD_INPUT',
    `topology "${name}" did not come to its end within ${withinMs} ms`,
    {
      hint: 'some bolt never acks or fails a tuple, or a spout that is not mocked never rests',
    },
  )
}

export { ShellBolt } from './component/shell-bolt.ts'
export { ShellSpout } from './component/shell-spout.ts'
export { type WithLocalDRPCOptions, withLocalDRPC } from './drpc/testing.ts'
export {
  FakeChild,
  type FakeScript,
  FakeShell,
  ManualClock,
  sayPid,
} from './multilang/fake-child.ts'
