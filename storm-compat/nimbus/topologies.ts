// The topologies of a Nimbus: their names, ids and statuses, and what happens to them one after the other. What is to happen
// is noted first (topology-note.ts) and done afterwards, so that another Nimbus, or this one after its death, goes on where
// it was; `refresh` takes over what others have noted. A topology that is killed stays visible, without emitting, for its
// wait; then it is gone, with its files.
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef, GearNote, GearNotes, Log } from 'gearpump'
import { asError, EngineError } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'
import { AlreadyAliveException, NotAliveException } from '../thrift/storm-exceptions.ts'
import type { LogConfig, RebalanceOptions } from '../thrift/storm-requests.ts'
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
import {
  keepSubmission,
  keptSubmission,
  logConfigOf,
  noteName,
  type Pending,
  stateOf,
  stateText,
  TOPOLOGY_NOTES,
  type TopologyState,
} from './topology-note.ts'
import type { ReadJavaComponent } from './topology-reader.ts'

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
/** What another Nimbus was asked for is done here only if that one has not. */
const OTHERS_GRACE_MS = 3000
/** What the cluster could not do at the moment is tried again. */
const AGAIN_MS = 2000
/** A note whose topology never came to be belonged to a Nimbus that died while it submitted. */
const ORPHAN_MS = 900_000
const PASSING = ['NO_MASTER', 'ASK_TIMED_OUT', 'NODE_UNREACHABLE', 'STORE_UNAVAILABLE'] as const

interface Entry extends Topology {
  /** Undefined for one that another Nimbus submitted. */
  readonly directory: string | undefined
  readonly blob: BlobRef | undefined
  starting: boolean
  /** It failed, and its host has nothing of it any more. */
  unhosted: boolean
  /** The host's work for it, one thing after the other. */
  turn: Promise<unknown>
  pending: Pending | undefined
  waiting: { cancel(): void } | undefined
  sampling: { cancel(): void } | undefined
  /** Of its note, as read or written last. */
  revision: number
  /** Writes of its note that are under way. */
  writing: number
  written: Promise<unknown>
}

export interface TopologiesOptions {
  readonly host: TopologyHost
  readonly notes: GearNotes
  readonly clock: Clock
  /** Private; exists. */
  readonly directory: string
  readonly log: Log
  readonly readJava?: ReadJavaComponent
  /** They live on when this Nimbus ends. */
  readonly lasting: boolean
}

export class Topologies {
  readonly #options: TopologiesOptions
  readonly #byName = new Map<string, Entry>()
  /** Names whose submission is under way. */
  readonly #submitting = new Set<string>()
  readonly #history: string[] = []
  /** Told of once. */
  readonly #unreadable = new Set<string>()
  readonly #ended = new Set<string>()
  #refreshing: Promise<void> = Promise.resolve()
  #nextRefresh: Promise<void> | undefined = undefined
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
    const entry = this.#find(id)
    if (entry === undefined) throw notAlive(id)
    return entry
  }

  byName(name: string): Topology {
    return this.#entry(name)
  }

  /** Whether a new topology may have this name. */
  isNameFree(name: string): boolean {
    return isNameValid(name) && !this.#byName.has(name) && !this.#submitting.has(name)
  }

  // ---- submitting

  async submit(submission: Submission): Promise<void> {
    const { name } = submission
    if (this.#byName.has(name) || this.#submitting.has(name)) throw alreadyAlive(name)
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
    const { readJava, directory: root, notes } = this.#options
    const { topology, notices } = makeTopology(submission, {
      startedMs: this.#nextStartMs(),
      ...(readJava === undefined ? {} : { readJava }),
    })
    for (const notice of notices) this.#log('info', topology.name, notice)
    // Not by its name, which may hold anything and be longer than a file's name may be.
    const directory = join(root, String(topology.startedMs))
    const resources = join(directory, 'resources')
    const pidDir = join(directory, 'pids')
    let entry: Entry
    try {
      await mkdir(resources, { recursive: true, mode: 0o700 })
      await mkdir(pidDir, { mode: 0o700 })
      if (submission.jar !== undefined) await unpackResources(submission.jar, resources)
      const blob = await keepSubmission(notes, submission, directory)
      entry = { ...newEntry(topology, blob), directory }
      await this.#keep(entry)
      if (this.#closed) throw new Error('this Nimbus is being closed')
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      await notes.remove(noteName(topology.id))
      throw invalid(asError(error).message)
    }
    this.#byName.set(entry.name, entry)
    // Windows begin with nothing.
    entry.windows.take(entry.startedMs, new Map())
    const { id, startedMs } = entry
    const { active } = submission
    const started = this.#options.host.submit({
      ...{ topology: entry.topology, id, startedMs, resources, pidDir, active },
    })
    entry.turn = started
      .catch(() => undefined)
      .finally(() => {
        entry.starting = false
      })
    await this.#answered(entry, started)
    if (this.#byName.get(entry.name) !== entry) return
    this.#remember(entry)
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
        entry.unhosted = true
        entry.failure = asError(error).message
        this.#log('error', entry.name, entry.failure)
        return undefined
      },
    )
    const outcome = await Promise.race([told, patience])
    timer?.cancel()
    if (outcome === undefined) return
    await this.#forget(entry)
    const { failed } = outcome
    // Another Nimbus was quicker.
    if (failed instanceof EngineError && failed.code === 'APP_EXISTS')
      throw alreadyAlive(entry.name)
    throw invalid(asError(failed).message)
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
    const entry = this.#entry(name)
    entry.active = false
    await this.#plan(entry, { kind: 'kill', dueMs: this.#dueMs(entry, waitSecs) })
  }

  async setActive(name: string, active: boolean): Promise<void> {
    const entry = this.#living(name)
    entry.active = active
    if (entry.pending === undefined) entry.status = active ? 'ACTIVE' : 'INACTIVE'
    await this.#keep(entry)
    if (entry.pending !== undefined) return
    await this.#inTurn(entry, () => this.#options.host.setActive(entry.id, active))
  }

  async rebalance(name: string, options: RebalanceOptions): Promise<void> {
    const entry = this.#living(name)
    const executors = checkRebalance(entry, options)
    const dueMs = this.#dueMs(entry, options.wait_secs)
    const workers = options.num_workers
    await this.#plan(entry, { kind: 'rebalance', dueMs, workers, executors: [...executors] })
  }

  async setLogConfig(id: string, logConfig: LogConfig): Promise<void> {
    const entry = this.#find(id)
    if (entry === undefined) throw notAlive(id)
    entry.logConfig = logConfig
    await this.#keep(entry)
  }

  // Noted first: whoever goes on from here knows what is to happen.
  async #plan(entry: Entry, pending: Pending): Promise<void> {
    entry.pending = pending
    entry.status = statusOf(entry)
    await this.#keep(entry)
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
    this.#background(entry, () => host.setActive(entry.id, false))
    const waitMs = Math.max(0, pending.dueMs - clock.nowMs()) + graceMs
    entry.waiting = clock.after(waitMs, () => this.#act(entry, pending))
  }

  #act(entry: Entry, pending: Pending): void {
    if (entry.pending !== pending || this.#closed) return
    // A start may take for ever; it is not waited for.
    if (pending.kind === 'kill' && entry.starting) entry.turn = Promise.resolve()
    this.#background(entry, async () => {
      if (entry.pending !== pending) return
      try {
        if (pending.kind === 'kill') await this.#end(entry)
        else await this.#rebalanceNow(entry, pending)
      } catch (error) {
        this.#log('warn', entry.name, `${pending.kind}: ${asError(error).message}`)
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
    await this.#keep(entry)
  }

  // ---- what is seen

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
      if (info.status === 'failed')
        topology.failure ??= info.failure ?? 'it ended by itself; see its errors'
    }
    return info
  }

  /** Takes over what other Nimbuses, or one before this, have done. */
  refresh(): Promise<void> {
    // One that is under way may have begun before what its caller knows of.
    this.#nextRefresh ??= this.#refreshing.then(() => {
      this.#nextRefresh = undefined
      const done = this.#refresh()
      this.#refreshing = done.catch(() => undefined)
      return done
    })
    return this.#nextRefresh
  }

  async #refresh(): Promise<void> {
    const { host, notes, clock } = this.#options
    const settled = [...this.#byName.values()].filter(({ starting }) => !starting)
    const [hosted, noted] = await Promise.all([host.list(), notes.list(TOPOLOGY_NOTES)])
    const living = new Map(hosted.map(({ id, active }) => [id, active]))
    const known = new Set<string>()
    for (const note of noted) {
      const state = stateOf(note)
      const entry = this.#find(state.id)
      if (!living.has(state.id)) {
        const old = clock.nowMs() - state.startedMs > ORPHAN_MS
        if (entry === undefined && old) await notes.remove(note.name)
        continue
      }
      known.add(state.id)
      if (entry === undefined) await this.#adopt(note, state, living.get(state.id))
      else if (entry.writing === 0 && note.revision > entry.revision) this.#follow(entry, note)
    }
    for (const entry of settled) {
      const { id, name, unhosted } = entry
      if (known.has(id) || unhosted || this.#byName.get(name) !== entry) continue
      // Another one has ended it.
      this.#byName.delete(name)
      await this.#letGo(entry)
    }
  }

  async #adopt(note: GearNote, state: TopologyState, active: boolean | undefined): Promise<void> {
    const { notes, directory, readJava, host } = this.#options
    const { id, name, startedMs } = state
    const [blob] = note.blobs
    if (this.#submitting.has(name) || this.#ended.has(id) || this.#closed) return
    if (blob === undefined || this.#unreadable.has(id)) return
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const kept = await keptSubmission(notes, blob, join(directory, randomUUID()))
      const { topology } = makeTopology(
        { ...kept, jar: undefined, active: state.active },
        { startedMs, ...(readJava === undefined ? {} : { readJava }) },
      )
      const entry: Entry = { ...newEntry(topology, blob), directory: undefined, starting: false }
      this.#byName.set(name, entry)
      this.#lastIdSecs = Math.max(this.#lastIdSecs, startedMs / 1000)
      this.#follow(entry, note)
      this.#remember(entry)
      // Whoever noted it may have died before it was done.
      if (entry.pending === undefined && active !== undefined && active !== entry.active)
        this.#background(entry, () => host.setActive(id, entry.active))
    } catch (error) {
      this.#unreadable.add(id)
      this.#log('error', name, `cannot be taken over: ${asError(error).message}`)
    }
  }

  #follow(entry: Entry, note: GearNote): void {
    const state = stateOf(note)
    entry.revision = note.revision
    entry.active = state.active
    entry.workers = state.workers
    entry.executors.clear()
    for (const [id, count] of state.executors) entry.executors.set(id, count)
    entry.logConfig = logConfigOf(state)
    const same = JSON.stringify(entry.pending) === JSON.stringify(state.pending)
    if (!same) entry.pending = state.pending
    entry.status = statusOf(entry)
    if (!same) this.#arm(entry, OTHERS_GRACE_MS)
  }

  // ---- the end

  /** Ends all of them at once, or leaves them to the Nimbus that comes next. */
  async close(): Promise<void> {
    this.#closed = true
    const entries = [...this.#byName.values()]
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
    await this.#forget(entry)
  }

  async #forget(entry: Entry): Promise<void> {
    this.#ended.add(entry.id)
    const [oldest] = this.#ended
    if (this.#ended.size > TOPOLOGIES_MAX && oldest !== undefined) this.#ended.delete(oldest)
    await entry.written
    await this.#options.notes.remove(noteName(entry.id))
    await this.#letGo(entry)
    if (this.#byName.get(entry.name) === entry) this.#byName.delete(entry.name)
  }

  async #letGo(entry: Entry): Promise<void> {
    entry.sampling?.cancel()
    entry.waiting?.cancel()
    entry.pending = undefined
    if (entry.directory !== undefined) await rm(entry.directory, { recursive: true, force: true })
  }

  // ---- parts

  // The newest state, after those before it. When it cannot be written its caller is told, and what the note says holds.
  #keep(entry: Entry): Promise<void> {
    entry.writing++
    const write = entry.written.then(async () => {
      try {
        const { blob } = entry
        const text = stateText(entry, entry.pending)
        const blobs = blob === undefined ? [] : [blob]
        entry.revision = await this.#options.notes.write(noteName(entry.id), text, blobs)
      } catch (error) {
        entry.revision = -1
        throw error
      } finally {
        entry.writing--
      }
    })
    entry.written = write.catch(() => undefined)
    return write
  }

  #remember(entry: Entry): void {
    this.#history.push(entry.id)
    if (this.#history.length > HISTORY_MAX) this.#history.shift()
    this.#sampleLater(entry)
  }

  #sampleLater(entry: Entry): void {
    entry.sampling = this.#options.clock.after(SAMPLE_MS, () => {
      void this.info(entry).then(() => {
        if (this.#byName.get(entry.name) === entry && !this.#closed) this.#sampleLater(entry)
      })
    })
  }

  // The host's work for a topology, in order.
  #inTurn(entry: Entry, act: () => Promise<void>): Promise<void> {
    const done = entry.turn.then(act)
    entry.turn = done.catch(() => undefined)
    return done
  }

  #background(entry: Entry, act: () => Promise<void>): void {
    this.#inTurn(entry, act).catch((error: unknown) => {
      this.#log('error', entry.name, asError(error).message)
    })
  }

  #find(id: string): Entry | undefined {
    for (const entry of this.#byName.values()) if (entry.id === id) return entry
    return undefined
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

function newEntry(topology: Topology, blob: BlobRef): Omit<Entry, 'directory'> {
  return {
    ...topology,
    blob,
    starting: true,
    unhosted: false,
    turn: Promise.resolve(),
    pending: undefined,
    waiting: undefined,
    sampling: undefined,
    revision: -1,
    writing: 0,
    written: Promise.resolve(),
  }
}

function statusOf({ pending, active }: Entry): Topology['status'] {
  if (pending?.kind === 'kill') return 'KILLED'
  if (pending?.kind === 'rebalance') return 'REBALANCING'
  return active ? 'ACTIVE' : 'INACTIVE'
}

function isPassing(error: unknown): boolean {
  return error instanceof EngineError && PASSING.some(code => code === error.code)
}

function alreadyAlive(name: string): ThriftException<typeof AlreadyAliveException.fields> {
  return new ThriftException(AlreadyAliveException, { msg: `${name} is already active` })
}
