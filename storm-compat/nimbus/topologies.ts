// The topologies of a Nimbus: their names, ids and statuses, and what happens to them one after the other. What is to happen
// is noted first (topology-note.ts) and done afterwards, so that another Nimbus, or this one after its death, goes on where
// it was; `refresh` takes over what others have noted. A topology that is killed stays visible, without emitting, for its
// wait; then it is gone, with its files.
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, EngineError } from 'gearpump/spi'
import { replaceLibrary } from '../multilang/old-library.ts'
import { ThriftException } from '../thrift/codec.ts'
import { Refusal } from '../thrift/service.ts'
import { AlreadyAliveException } from '../thrift/storm-exceptions.ts'
import type { LogConfig, RebalanceOptions } from '../thrift/storm-requests.ts'
import { type JarClasses, readJarClasses } from './jar-classes.ts'
import { unpackResources } from './jar-resources.ts'
import { rowsOf } from './statistics.ts'
import {
  checkRebalance,
  invalid,
  isNameValid,
  makeTopology,
  type Submission,
  type Topology,
} from './topology.ts'
import { type Entry, newEntry, statusOf } from './topology-entry.ts'
import type { HostedInfo } from './topology-host.ts'
import { keepSubmission, noteName, type Pending } from './topology-note.ts'
import {
  isPassing,
  TOPOLOGIES_MAX,
  type TopologiesOptions,
  TopologyTable,
} from './topology-table.ts'

/** Ids of topologies that were, for getTopologyHistory. */
const HISTORY_MAX = 100
/**
 * A submission is answered so long after its start began, at the latest: Python components may import for minutes, and
 * streamparse waits 7 s for its answer.
 */
const START_ANSWER_MS = 4_000
/** A JVM takes longer to start, and the clients that submit Java are patient. */
const JAVA_START_ANSWER_MS = 20_000
/** The smallest bucket of the shortest window. */
const SAMPLE_MS = 30_000
/** Storm's topology.message.timeout.secs: how long a kill waits if nothing is said. */
const WAIT_SECS_DEFAULT = 30
/** A wait longer than a week is a slip of the keyboard. */
const WAIT_SECS_MAX = 7 * 86_400
/** What another Nimbus was asked for is done here only if that one has not. */
const OTHERS_GRACE_MS = 3000
/** What the cluster could not do at the moment is tried again. */
const AGAIN_MS = 2000
/** The uploaded jar of a topology with Java components, beside its resources. */
const JAR = 'topology.jar'

export class Topologies {
  readonly #options: TopologiesOptions
  readonly #table: TopologyTable
  readonly #history: string[] = []
  #lastIdSecs = 0

  constructor(options: TopologiesOptions) {
    this.#options = options
    this.#table = new TopologyTable(options, {
      pending: entry => this.#arm(entry, OTHERS_GRACE_MS),
      adopted: entry => {
        this.#lastIdSecs = Math.max(this.#lastIdSecs, entry.startedMs / 1000)
        this.#remember(entry)
      },
    })
  }

  all(): readonly Topology[] {
    return this.#table.all()
  }

  get history(): readonly string[] {
    return this.#history
  }

  /** By id. Throws NotAliveException. */
  byId(id: string): Topology {
    return this.#table.byId(id)
  }

  byName(name: string): Topology {
    return this.#table.byName(name)
  }

  /** Whether a new topology may have this name. */
  isNameFree(name: string): boolean {
    return isNameValid(name) && !this.#table.has(name)
  }

  /** Takes over what other Nimbuses, or one before this, have done. */
  refresh(): Promise<void> {
    return this.#table.refresh()
  }

  // ---- submitting

  async submit(submission: Submission): Promise<void> {
    const { name } = submission
    if (this.#table.has(name)) throw alreadyAlive(name)
    if (this.#table.size >= TOPOLOGIES_MAX) {
      throw invalid(`${TOPOLOGIES_MAX} topologies are running: kill one first`)
    }
    this.#table.submitting.add(name)
    try {
      await this.#start(submission)
    } finally {
      this.#table.submitting.delete(name)
    }
  }

  async #start(submission: Submission): Promise<void> {
    const { notes } = this.#options
    const topology = this.#make(submission, await this.#jarClasses(submission))
    // Not by its name, which may hold anything and be longer than a file's name may be.
    const directory = join(this.#options.directory, String(topology.startedMs))
    // What travels to where it runs.
    const code = join(directory, 'code')
    const resources = join(code, 'resources')
    const jar = topology.topology.javaLines === undefined ? undefined : submission.jar
    const pidDir = join(directory, 'pids')
    let entry: Entry
    try {
      await mkdir(resources, { recursive: true, mode: 0o700 })
      await mkdir(pidDir, { mode: 0o700 })
      if (submission.jar !== undefined) await unpackResources(submission.jar, resources)
      await replaceLibrary(topology.conf, resources)
      if (jar !== undefined) await copyFile(jar, join(code, JAR))
      const blob = await keepSubmission(notes, submission, directory)
      entry = { ...newEntry(topology, blob), directory }
      await this.#table.keep(entry)
      if (this.#table.closed) throw new Error('this Nimbus is being closed')
    } catch (error) {
      await this.#undo(topology, directory)
      throw invalid(asError(error).message)
    }
    this.#table.add(entry)
    // Windows begin with nothing.
    entry.windows.take(entry.startedMs, new Map())
    const { id, startedMs } = entry
    const { active, credentials = {} } = submission
    const started = this.#options.host.submit({
      ...{ topology: entry.topology, id, startedMs, resources, pidDir, active, credentials },
      ...(jar === undefined ? {} : { jar: join(code, JAR) }),
    })
    entry.turn = started
      .catch(() => undefined)
      .finally(() => {
        entry.starting = false
      })
    await this.#answered(entry, started)
    if (!this.#table.holds(entry)) return
    this.#remember(entry)
  }

  // The client hears of the first error; a note that stays is removed when it is old.
  async #undo({ id, name }: Topology, directory: string): Promise<void> {
    try {
      await rm(directory, { recursive: true, force: true })
      await this.#options.notes.remove(noteName(id))
    } catch (error) {
      this.#table.log('warn', name, `its note stays for a while: ${asError(error).message}`)
    }
  }

  // Waits for the start, but not for ever: what fails later is told as the topology's failure.
  async #answered(entry: Entry, started: Promise<readonly string[]>): Promise<void> {
    const { clock } = this.#options
    let late = false
    let timer: { cancel(): void } | undefined
    const patience = new Promise<undefined>(resolve => {
      const java = entry.topology.javaLines !== undefined
      timer = clock.after(java ? JAVA_START_ANSWER_MS : START_ANSWER_MS, () => {
        late = true
        resolve(undefined)
      })
    })
    const told = started.then(
      notices => {
        for (const notice of notices) this.#table.log('info', entry.name, notice)
        return undefined
      },
      (error: unknown) => {
        if (!late) return { failed: error }
        if (entry.status === 'KILLED') return undefined
        entry.unhosted = true
        entry.failure = asError(error).message
        this.#table.log('error', entry.name, entry.failure)
        return undefined
      },
    )
    const outcome = await Promise.race([told, patience])
    timer?.cancel()
    if (outcome === undefined) return
    await this.#table.forget(entry)
    const { failed } = outcome
    // Another Nimbus was quicker.
    if (failed instanceof EngineError && failed.code === 'APP_EXISTS')
      throw alreadyAlive(entry.name)
    throw invalid(asError(failed).message)
  }

  async #jarClasses({ jar, message }: Submission): Promise<JarClasses | undefined> {
    const { readJava } = this.#options
    if (jar === undefined || readJava === undefined) return undefined
    try {
      return await readJarClasses(jar, message, readJava)
    } catch (error) {
      throw invalid(asError(error).message)
    }
  }

  #make(submission: Submission, jarClasses: JarClasses | undefined): Topology {
    const { readJava, findJava, conf } = this.#options
    const { topology, notices } = makeTopology(submission, {
      startedMs: this.#nextStartMs(),
      ...(readJava === undefined ? {} : { readJava }),
      ...(jarClasses === undefined ? {} : { jarClasses }),
      ...(findJava === undefined ? {} : { findJava }),
      ...(conf === undefined ? {} : { conf }),
    })
    for (const notice of notices) this.#table.log('info', topology.name, notice)
    return topology
  }

  // Ids have whole seconds; two topologies never share one, so that an id means one run for ever.
  #nextStartMs(): number {
    const secs = Math.floor(this.#options.clock.nowMs() / 1000)
    this.#lastIdSecs = Math.max(secs, this.#lastIdSecs + 1)
    return this.#lastIdSecs * 1000
  }

  // ---- what clients ask for

  /** Stops emitting at once, and ends the topology after the wait. A second kill sets another wait. */
  async kill(name: string, waitSecs: number | undefined): Promise<void> {
    const entry = this.#table.byName(name)
    entry.active = false
    await this.#plan(entry, { kind: 'kill', dueMs: this.#dueMs(entry, waitSecs) })
  }

  async setActive(name: string, active: boolean): Promise<void> {
    const entry = this.#table.living(name)
    entry.active = active
    if (entry.pending === undefined) entry.status = active ? 'ACTIVE' : 'INACTIVE'
    await this.#table.keep(entry)
    if (entry.pending !== undefined) return
    await this.#table.inTurn(entry, () => this.#options.host.setActive(entry.id, active))
  }

  async rebalance(name: string, options: RebalanceOptions): Promise<void> {
    const entry = this.#table.living(name)
    const executors = checkRebalance(entry, options)
    const dueMs = this.#dueMs(entry, options.wait_secs)
    const workers = options.num_workers
    await this.#plan(entry, { kind: 'rebalance', dueMs, workers, executors: [...executors] })
  }

  /** For components that listen for them; those of before are forgotten. */
  async setCredentials(
    name: string,
    credentials: Readonly<Record<string, string>>,
    owner: string | undefined,
  ): Promise<void> {
    const entry = this.#table.living(name)
    if (owner !== undefined && owner !== '' && owner !== entry.owner)
      throw new Refusal(`${name} belongs to ${entry.owner}, and not to ${owner.slice(0, 100)}`)
    await this.#options.host.setCredentials(entry.id, credentials)
  }

  async setLogConfig(id: string, logConfig: LogConfig): Promise<void> {
    const entry = this.#table.byId(id)
    entry.logConfig = logConfig
    await this.#table.keep(entry)
  }

  // Noted first: whoever goes on from here knows what is to happen.
  async #plan(entry: Entry, pending: Pending): Promise<void> {
    entry.pending = pending
    entry.status = statusOf(entry)
    await this.#table.keep(entry)
    if (entry.pending !== pending) return
    this.#arm(entry, 0)
  }

  #dueMs({ conf }: Entry, waitSecs: number | undefined): number {
    const timeout = conf['topology.message.timeout.secs']
    const secs = waitSecs ?? (typeof timeout === 'number' ? timeout : WAIT_SECS_DEFAULT)
    return this.#options.clock.nowMs() + 1000 * Math.min(Math.max(0, secs), WAIT_SECS_MAX)
  }

  // The sources rest meanwhile.
  #arm(entry: Entry, graceMs: number): void {
    const { clock, host } = this.#options
    const { pending } = entry
    entry.waiting?.cancel()
    if (pending === undefined) return
    this.#table.background(entry, () => host.setActive(entry.id, false))
    const waitMs = Math.max(0, pending.dueMs - clock.nowMs()) + graceMs
    entry.waiting = clock.after(waitMs, () => this.#act(entry, pending))
  }

  #act(entry: Entry, pending: Pending): void {
    if (entry.pending !== pending || this.#table.closed) return
    // A start may take for ever; it is not waited for.
    if (pending.kind === 'kill' && entry.starting) entry.turn = Promise.resolve()
    this.#table.background(entry, async () => {
      if (entry.pending !== pending) return
      try {
        if (pending.kind === 'kill') await this.#end(entry)
        else await this.#rebalanceNow(entry, pending)
      } catch (error) {
        this.#table.log('warn', entry.name, `${pending.kind}: ${asError(error).message}`)
        if (pending.kind === 'rebalance' && !isPassing(error)) await this.#settle(entry, pending)
        else entry.waiting = this.#options.clock.after(AGAIN_MS, () => this.#act(entry, pending))
      }
    })
  }

  async #rebalanceNow(entry: Entry, pending: Pending): Promise<void> {
    const { workers, executors = [] } = pending
    const wish = { workers, executors: new Map(executors) }
    await this.#options.host.rebalance(entry.id, wish)
    if (entry.pending !== pending) return
    if (workers !== undefined) entry.workers = workers
    for (const [id, count] of executors) entry.executors.set(id, count)
    await this.#settle(entry, pending)
  }

  async #settle(entry: Entry, pending: Pending): Promise<void> {
    if (entry.pending !== pending) return
    await this.#options.host.setActive(entry.id, entry.active)
    if (entry.pending !== pending) return
    entry.pending = undefined
    entry.status = statusOf(entry)
    await this.#table.keep(entry)
  }

  // ---- what is seen

  /** What the host knows; undefined while it starts, after it ended, and when the host cannot tell. */
  async info(topology: Topology): Promise<HostedInfo | undefined> {
    try {
      const info = await this.#options.host.info(topology.id)
      if (info === undefined) return undefined
      topology.windows.take(this.#options.clock.nowMs(), rowsOf(info))
      if (info.status === 'failed')
        topology.failure ??= info.failure ?? 'it ended by itself; see its errors'
      return info
    } catch (error) {
      this.#table.log('warn', topology.name, `no figures: ${asError(error).message}`)
      return undefined
    }
  }

  // ---- the end

  /** Ends all of them at once, or leaves them to the Nimbus that comes next. */
  async close(): Promise<void> {
    this.#table.closed = true
    const entries = this.#table.all()
    for (const entry of entries) {
      entry.waiting?.cancel()
      entry.sampling?.cancel()
    }
    if (this.#options.lasting) return
    // Not after what is under way: a start may take long, and a kill ends it.
    await Promise.all(entries.map(entry => this.#end(entry)))
  }

  async #end(entry: Entry): Promise<void> {
    await this.#options.host.kill(entry.id)
    await this.#table.forget(entry)
  }

  // ---- parts

  #remember(entry: Entry): void {
    this.#history.push(entry.id)
    if (this.#history.length > HISTORY_MAX) this.#history.shift()
    this.#sampleLater(entry)
  }

  #sampleLater(entry: Entry): void {
    entry.sampling = this.#options.clock.after(SAMPLE_MS, () => {
      void this.info(entry).then(() => {
        if (this.#table.holds(entry) && !this.#table.closed) this.#sampleLater(entry)
      })
    })
  }
}

function alreadyAlive(name: string): ThriftException<typeof AlreadyAliveException.fields> {
  return new ThriftException(AlreadyAliveException, { msg: `${name} is already active` })
}
