// The topologies of a Nimbus: their names, ids and statuses, and what happens to them one after the other. Statuses change at
// once, as clients expect; what the host must do for it follows in order. A topology that is killed stays visible, without
// emitting, for its wait; then it is gone, with its files.
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from 'gearpump'
import { asError } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'
import { AlreadyAliveException, NotAliveException } from '../thrift/storm-exceptions.ts'
import type { RebalanceOptions } from '../thrift/storm-requests.ts'
import type { Clock } from './clock.ts'
import { unpackResources } from './jar-resources.ts'
import {
  checkRebalance,
  countsOf,
  invalid,
  isNameValid,
  makeTopology,
  notAlive,
  type Submission,
  type Topology,
} from './topology.ts'
import type { HostedInfo, TopologyHost } from './topology-host.ts'
import type { FindJava, ReadJavaComponent } from './topology-reader.ts'

/** Topologies at once; far above what one process carries. */
const TOPOLOGIES_MAX = 1000
/** Ids of topologies that were, for getTopologyHistory. */
const HISTORY_MAX = 100
/** A submission is answered after so long at the latest; Python components may import for minutes. */
const START_ANSWER_MS = 20_000
/** The smallest bucket of the shortest window. */
const SAMPLE_MS = 30_000
/** Storm's topology.message.timeout.secs: how long a kill waits if nothing is said. */
const WAIT_SECS_DEFAULT = 30
/** A wait longer than a week is a slip of the keyboard. */
const WAIT_SECS_MAX = 7 * 86_400

/** The uploaded jar of a topology with Java components, beside its resources. */
const JAR = 'topology.jar'

interface Entry extends Topology {
  readonly directory: string
  starting: boolean
  /** The host's work for it, one thing after the other. */
  turn: Promise<unknown>
  /** What is to happen after a wait. */
  waiting: { cancel(): void } | undefined
  sampling: { cancel(): void } | undefined
}

export interface TopologiesOptions {
  readonly host: TopologyHost
  readonly clock: Clock
  /** Private; exists. */
  readonly directory: string
  readonly log: Log
  readonly readJava?: ReadJavaComponent
  readonly findJava?: FindJava
}

export class Topologies {
  readonly #options: TopologiesOptions
  readonly #byName = new Map<string, Entry>()
  /** Names whose submission is under way. */
  readonly #submitting = new Set<string>()
  readonly #history: string[] = []
  #lastIdSecs = 0
  #closed = false

  constructor(options: TopologiesOptions) {
    this.#options = options
  }

  all(): readonly Topology[] {
    return [...this.#byName.values()]
  }

  get history(): readonly string[] {
    return this.#history
  }

  /** By id. Throws NotAliveException. */
  byId(id: string): Topology {
    for (const entry of this.#byName.values()) if (entry.id === id) return entry
    throw notAlive(id)
  }

  byName(name: string): Topology {
    return this.#entry(name)
  }

  /** Whether a new topology may have this name. */
  isNameFree(name: string): boolean {
    return isNameValid(name) && !this.#byName.has(name) && !this.#submitting.has(name)
  }

  async submit(submission: Submission): Promise<void> {
    const { name } = submission
    if (this.#byName.has(name) || this.#submitting.has(name)) {
      throw new ThriftException(AlreadyAliveException, { msg: `${name} is already active` })
    }
    if (this.#byName.size + this.#submitting.size >= TOPOLOGIES_MAX) {
      throw invalid(`${TOPOLOGIES_MAX} topologies are running: kill one first`)
    }
    this.#submitting.add(name)
    try {
      await this.#start(submission)
    } finally {
      this.#submitting.delete(name)
    }
  }

  async #start(submission: Submission): Promise<void> {
    const entry = this.#make(submission)
    // What travels to where it runs.
    const code = join(entry.directory, 'code')
    const resources = join(code, 'resources')
    const jar = entry.topology.javaLines === undefined ? undefined : submission.jar
    const pidDir = join(entry.directory, 'pids')
    try {
      await mkdir(resources, { recursive: true, mode: 0o700 })
      await mkdir(pidDir, { mode: 0o700 })
      if (submission.jar !== undefined) await unpackResources(submission.jar, resources)
      if (jar !== undefined) await copyFile(jar, join(code, JAR))
      if (this.#closed) throw new Error('this Nimbus is being closed')
    } catch (error) {
      await this.#remove(entry)
      throw invalid(asError(error).message)
    }
    this.#byName.set(entry.name, entry)
    // Windows begin with nothing.
    entry.windows.take(entry.startedMs, new Map())
    const started = this.#options.host.submit({
      topology: entry.topology,
      id: entry.id,
      startedMs: entry.startedMs,
      resources,
      ...(jar === undefined ? {} : { jar: join(code, JAR) }),
      pidDir,
      active: submission.active,
    })
    entry.turn = started
      .catch(() => undefined)
      .finally(() => {
        entry.starting = false
      })
    await this.#answered(entry, started)
    if (this.#byName.get(entry.name) !== entry) return
    this.#history.push(entry.id)
    if (this.#history.length > HISTORY_MAX) this.#history.shift()
    this.#sampleLater(entry)
  }

  // Waits for the start, but not for ever: what fails later is told as the topology's failure.
  async #answered(entry: Entry, started: Promise<readonly string[]>): Promise<void> {
    const { clock } = this.#options
    let late = false
    let timer: { cancel(): void } | undefined
    const patience = new Promise<undefined>(resolve => {
      timer = clock.after(START_ANSWER_MS, () => {
        late = true
        resolve(undefined)
      })
    })
    const told = started.then(
      notices => {
        for (const notice of notices) this.#log('info', entry.name, notice)
        return undefined
      },
      (error: unknown) => {
        if (!late) return { failed: error }
        if (entry.status === 'KILLED') return undefined
        entry.failure = asError(error).message
        this.#log('error', entry.name, entry.failure)
        return undefined
      },
    )
    const outcome = await Promise.race([told, patience])
    timer?.cancel()
    if (outcome === undefined) return
    this.#byName.delete(entry.name)
    await this.#remove(entry)
    throw invalid(asError(outcome.failed).message)
  }

  #make(submission: Submission): Entry {
    const { readJava, findJava } = this.#options
    const { topology, notices } = makeTopology(submission, {
      startedMs: this.#nextStartMs(),
      ...(readJava === undefined ? {} : { readJava }),
      ...(findJava === undefined ? {} : { findJava }),
    })
    for (const notice of notices) this.#log('info', topology.name, notice)
    return {
      ...topology,
      // Not by its name, which may hold anything and be longer than a file's name may be.
      directory: join(this.#options.directory, String(topology.startedMs)),
      starting: true,
      turn: Promise.resolve(),
      waiting: undefined,
      sampling: undefined,
    }
  }

  // Ids have whole seconds; two topologies never share one, so that an id means one run for ever.
  #nextStartMs(): number {
    const secs = Math.floor(this.#options.clock.nowMs() / 1000)
    this.#lastIdSecs = Math.max(secs, this.#lastIdSecs + 1)
    return this.#lastIdSecs * 1000
  }

  /** Stops emitting at once, and ends the topology after the wait. A second kill sets another wait. */
  kill(name: string, waitSecs: number | undefined): void {
    const entry = this.#entry(name)
    entry.status = 'KILLED'
    entry.active = false
    void this.#then(entry, () => this.#options.host.setActive(entry.id, false))
    this.#afterWait(entry, waitSecs, () => {
      // A start may take for ever; it is not waited for.
      if (entry.starting) entry.turn = Promise.resolve()
      void this.#then(entry, () => this.#end(entry))
    })
  }

  async setActive(name: string, active: boolean): Promise<void> {
    const entry = this.#living(name)
    entry.active = active
    if (entry.status === 'REBALANCING') return
    entry.status = active ? 'ACTIVE' : 'INACTIVE'
    await this.#then(entry, () => this.#options.host.setActive(entry.id, active))
  }

  rebalance(name: string, options: RebalanceOptions): void {
    const entry = this.#living(name)
    const executors = checkRebalance(entry, options)
    entry.status = 'REBALANCING'
    void this.#then(entry, () => this.#options.host.setActive(entry.id, false))
    this.#afterWait(entry, options.wait_secs, () => {
      void this.#then(entry, async () => {
        await this.#options.host.rebalance(entry.id, { workers: options.num_workers, executors })
        if (entry.status !== 'REBALANCING') return
        if (options.num_workers !== undefined) entry.workers = options.num_workers
        for (const [id, count] of executors) entry.executors.set(id, count)
        entry.status = entry.active ? 'ACTIVE' : 'INACTIVE'
        await this.#options.host.setActive(entry.id, entry.active)
      })
    })
  }

  /** What the host knows; undefined while it starts, after it ended, and when the host cannot tell. */
  async info(topology: Topology): Promise<HostedInfo | undefined> {
    let info: HostedInfo | undefined
    try {
      info = await this.#options.host.info(topology.id)
    } catch (error) {
      this.#log('warn', topology.name, `no figures: ${asError(error).message}`)
    }
    if (info !== undefined) {
      topology.windows.take(this.#options.clock.nowMs(), countsOf(info))
      if (info.status === 'failed') topology.failure ??= 'it ended by itself; see its errors'
    }
    return info
  }

  /** Ends all of them at once. */
  async close(): Promise<void> {
    this.#closed = true
    const entries = [...this.#byName.values()]
    await Promise.all(
      entries.map(entry => {
        entry.waiting?.cancel()
        // Not after what is under way: a start may take long, and a kill ends it.
        return this.#end(entry)
      }),
    )
  }

  async #end(entry: Entry): Promise<void> {
    await this.#options.host.kill(entry.id)
    await this.#remove(entry)
    if (this.#byName.get(entry.name) === entry) this.#byName.delete(entry.name)
  }

  async #remove(entry: Entry): Promise<void> {
    entry.sampling?.cancel()
    entry.waiting?.cancel()
    await rm(entry.directory, { recursive: true, force: true })
  }

  #sampleLater(entry: Entry): void {
    entry.sampling = this.#options.clock.after(SAMPLE_MS, () => {
      void this.info(entry).then(() => {
        if (this.#byName.get(entry.name) === entry) this.#sampleLater(entry)
      })
    })
  }

  #afterWait(entry: Entry, waitSecs: number | undefined, act: () => void): void {
    const timeout = entry.conf['topology.message.timeout.secs']
    const secs = waitSecs ?? (typeof timeout === 'number' ? timeout : WAIT_SECS_DEFAULT)
    entry.waiting?.cancel()
    const waitMs = 1000 * Math.min(Math.max(0, secs), WAIT_SECS_MAX)
    entry.waiting = this.#options.clock.after(waitMs, act)
  }

  // The host's work for a topology, in order. What goes wrong is its failure, and is logged.
  #then(entry: Entry, act: () => Promise<void>): Promise<void> {
    const done = entry.turn.then(act).catch((error: unknown) => {
      entry.failure ??= asError(error).message
      this.#log('error', entry.name, asError(error).message)
    })
    entry.turn = done
    return done
  }

  #entry(name: string): Entry {
    const entry = this.#byName.get(name)
    if (entry === undefined) throw notAlive(name)
    return entry
  }

  #living(name: string): Entry {
    const entry = this.#entry(name)
    if (entry.status !== 'KILLED') return entry
    throw new ThriftException(NotAliveException, { msg: `${name} is being killed` })
  }

  #log(level: 'info' | 'warn' | 'error', name: string, text: string): void {
    const timeMs = this.#options.clock.nowMs()
    this.#options.log.write({ level, where: `topology ${name}`, text, timeMs })
  }
}
