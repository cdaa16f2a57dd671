// A whole application in virtual time: the real app master, the real executors, and between these a simulated network that
// delays, loses and cuts as it is told. Executors can be killed as a process is. What may go wrong: user code that waits
// for real input or output is not waited for.
import { AppMaster } from '../app/app-master.ts'
import type { Application } from '../app/application.ts'
import { ExecutorHost } from '../app/executor-host.ts'
import type { ExecutorStatus, RunFigures } from '../app/figures.ts'
import type { Launcher } from '../app/launcher.ts'
import { EngineError } from '../base/errors.ts'
import { type Log, noLog } from '../base/log.ts'
import { type Faults, FaultyNetwork } from '../transport/faulty-transport.ts'
import { ManualEnvironment, type ManualProcess } from './manual-environment.ts'

/** Longer than any wait of a source that has something to say. */
const SILENCE_MS = 200

export interface SimulationOptions {
  /** Executors, each a process of its own with links to the others. 1 if not given. */
  executors?: number
  /** Of everything that is left to chance. 1 if not given. */
  seed?: number
  /** What the links do to frames; may be changed later by `network.faults`. */
  faults?: Partial<Faults>
  environment?: ManualEnvironment
  log?: Log
}

interface Process {
  readonly host: ExecutorHost
  readonly process: ManualProcess
  readonly end: (reason: string) => void
}

/** A running application. Made by `simulate`. */
export class Simulation {
  readonly environment: ManualEnvironment
  readonly network: FaultyNetwork
  readonly master: AppMaster
  readonly #application: Application
  readonly #several: boolean
  readonly #processes = new Map<number, Process>()

  constructor(application: Application, options: SimulationOptions = {}) {
    const { executors = 1, seed = 1, log = noLog } = options
    const environment = options.environment ?? new ManualEnvironment({ seed })
    this.environment = environment
    this.#application = application
    this.#several = executors > 1
    this.network = new FaultyNetwork({
      random: () => environment.random(),
      time: environment,
      faults: options.faults ?? {},
    })
    const launcher: Launcher = { launch: async (...args) => this.#launch(...args) }
    this.master = new AppMaster({ environment, application, executors, launcher, log })
  }

  /** Ids of the executors that live now. */
  get executors(): number[] {
    return [...this.#processes.keys()]
  }

  advance(ms: number): Promise<void> {
    return this.environment.advance(ms)
  }

  /** Lets time pass until every source has ended or been silent for `idleMs`, and every message is done. */
  async drained({
    idleMs = SILENCE_MS,
    withinMs = 60_000,
  }: {
    idleMs?: number
    withinMs?: number
  } = {}): Promise<void> {
    const { environment } = this
    const endMs = environment.monotonicMs() + withinMs
    let drained = false
    const isOver = async () => {
      drained = await this.master.isDrained(idleMs)
      return drained || environment.monotonicMs() >= endMs
    }
    await environment.until(isOver, { withinMs: withinMs + SILENCE_MS })
    if (!drained) throw await this.#notDrained(withinMs)
  }

  async #notDrained(withinMs: number): Promise<EngineError> {
    const { components } = await this.figures()
    const open = Object.entries(components)
      .filter(([, { inFlight }]) => inFlight > 0)
      .map(([name, { inFlight }]) => `${inFlight} at ${name}`)
    const what = open.length === 0 ? 'nothing is open, but a source goes on' : open.join(', ')
    const message = `the DAG has not come to its end within ${withinMs} virtual ms: ${what}`
    return new EngineError('APP_FAILED', message, {
      hint: 'user code that waits for real input or output is not waited for; `withinMs` gives it longer',
    })
  }

  figures(): Promise<RunFigures> {
    return this.master.figures()
  }

  status(executorId: number): Promise<ExecutorStatus> {
    return this.#process(executorId).host.status()
  }

  /** Timers that an executor has set. */
  timers(executorId: number): number {
    return this.#process(executorId).process.timers
  }

  /** Unfinished things in the ledger of an executor; 0 when it is idle. */
  unfinished(executorId: number): number {
    return this.#process(executorId).host.executor?.ledger.live ?? 0
  }

  /** Ends an executor as `kill -9` does: nothing of it runs any more, its links break. Another takes its place. */
  crash(executorId: number): void {
    const { process, end } = this.#process(executorId)
    this.#processes.delete(executorId)
    process.kill()
    this.network.kill(nameOf(executorId))
    end('killed by the test')
  }

  async close(): Promise<void> {
    await this.environment.awaiting(this.master.close())
  }

  #process(executorId: number): Process {
    const found = this.#processes.get(executorId)
    if (found !== undefined) return found
    throw new EngineError('BAD_INPUT', `no executor ${executorId} lives`, {
      hint: `these do: ${this.executors.join(', ')}`,
    })
  }

  #launch(
    executorId: number,
    token: string,
    events: ConstructorParameters<typeof ExecutorHost>[0]['events'],
  ) {
    const process = this.environment.process()
    const transport = this.#several ? this.network.transport(nameOf(executorId)) : undefined
    const application = this.#application
    const host = new ExecutorHost({
      environment: process,
      application,
      executorId,
      transport,
      token,
      events,
    })
    let end: (reason: string) => void = () => undefined
    const ended = new Promise<string>(resolve => {
      end = resolve
    })
    this.#processes.set(executorId, { host, process, end })
    return {
      control: host,
      pid: undefined,
      ended,
      kill: () => {
        if (this.#processes.get(executorId)?.host === host) this.crash(executorId)
      },
    }
  }
}

function nameOf(executorId: number): string {
  return `executor-${executorId}`
}

/**
 * Starts an application in virtual time. Data flows when it resolves; time passes only by `advance` and `drained`.
 *
 * @example
 * const run = await simulate(words, { executors: 3, seed: 7, faults: { loss: 0.01, delayMsMax: 5 } })
 * await run.advance(200)
 * run.crash(2)
 * await run.drained()
 * t.is((await run.figures()).pending, 0)
 */
export async function simulate(
  application: Application,
  options: SimulationOptions = {},
): Promise<Simulation> {
  const simulation = new Simulation(application, options)
  await simulation.environment.awaiting(simulation.master.start())
  return simulation
}
