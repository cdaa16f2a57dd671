// The topologies that a Nimbus knows, and their notes: what it does is noted before it is done, and `refresh` takes over what
// another Nimbus of the same cluster, or one before this, has noted.
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GearNote, GearNotes, Log } from 'gearpump'
import { asError, EngineError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import type { StormLine } from '../jvm/java-line.ts'
import type { FoundJava } from '../jvm/java-place.ts'
import { ThriftException } from '../thrift/codec.ts'
import { NotAliveException } from '../thrift/storm-exceptions.ts'
import type { Clock } from './clock.ts'
import { makeTopology, notAlive } from './topology.ts'
import { type Entry, newEntry, statusOf } from './topology-entry.ts'
import type { TopologyHost } from './topology-host.ts'
import {
  keptSubmission,
  logConfigOf,
  noteName,
  stateOf,
  stateText,
  TOPOLOGY_NOTES,
  type TopologyState,
} from './topology-note.ts'
import type { FindJava, ReadJavaComponent } from './topology-reader.ts'

/** Topologies at once; far above what one process carries. */
export const TOPOLOGIES_MAX = 1000
/** A note whose topology never came to be belonged to a Nimbus that died while it submitted. */
const ORPHAN_MS = 900_000

export interface TopologiesOptions {
  readonly host: TopologyHost
  readonly notes: GearNotes
  readonly clock: Clock
  /** Private; exists. */
  readonly directory: string
  readonly log: Log
  readonly readJava?: ReadJavaComponent
  readonly findJava?: FindJava
  /** Settings under those of each topology. */
  readonly conf?: Conf
  /** They live on when this Nimbus ends. */
  readonly lasting: boolean
}

/** Passing troubles of a cluster: what it could not do at the moment is tried again. */
const PASSING = ['NO_MASTER', 'ASK_TIMED_OUT', 'NODE_UNREACHABLE', 'STORE_UNAVAILABLE'] as const

export function isPassing(error: unknown): boolean {
  return error instanceof EngineError && PASSING.some(code => code === error.code)
}

/** What the owner of the table does with what comes from elsewhere. */
export interface TableEvents {
  /** Another Nimbus has noted, or taken back, what is to happen after a wait. */
  pending(entry: Entry): void
  adopted(entry: Entry): void
}

export class TopologyTable {
  readonly #options: TopologiesOptions
  readonly #events: TableEvents
  readonly #byName = new Map<string, Entry>()
  /** Names whose submission is under way. */
  readonly submitting = new Set<string>()
  /** Told of once. */
  readonly #unreadable = new Set<string>()
  readonly #ended = new Set<string>()
  #refreshing: Promise<void> = Promise.resolve()
  #nextRefresh: Promise<void> | undefined = undefined
  closed = false

  constructor(options: TopologiesOptions, events: TableEvents) {
    this.#options = options
    this.#events = events
  }

  get size(): number {
    return this.#byName.size + this.submitting.size
  }

  all(): readonly Entry[] {
    return [...this.#byName.values()]
  }

  has(name: string): boolean {
    return this.#byName.has(name) || this.submitting.has(name)
  }

  /** Whether it is this very one that has its name. */
  holds(entry: Entry): boolean {
    return this.#byName.get(entry.name) === entry
  }

  add(entry: Entry): void {
    this.#byName.set(entry.name, entry)
  }

  /** By id. Throws NotAliveException. */
  byId(id: string): Entry {
    const entry = this.#find(id)
    if (entry === undefined) throw notAlive(id)
    return entry
  }

  #find(id: string): Entry | undefined {
    for (const entry of this.#byName.values()) if (entry.id === id) return entry
    return undefined
  }

  byName(name: string): Entry {
    const entry = this.#byName.get(name)
    if (entry === undefined) throw notAlive(name)
    return entry
  }

  living(name: string): Entry {
    const entry = this.byName(name)
    if (entry.status !== 'KILLED') return entry
    throw new ThriftException(NotAliveException, { msg: `${name} is being killed` })
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
    for (const id of this.#unreadable) if (!known.has(id)) this.#unreadable.delete(id)
    for (const entry of settled) {
      const { id, name, unhosted } = entry
      if (known.has(id) || unhosted || this.#byName.get(name) !== entry) continue
      // Another one has ended it.
      this.#byName.delete(name)
      await this.#letGo(entry)
    }
  }

  async #adopt(note: GearNote, state: TopologyState, active: boolean | undefined): Promise<void> {
    const { notes, directory, readJava, conf, host } = this.#options
    const { id, name, startedMs } = state
    const [blob] = note.blobs
    if (this.submitting.has(name) || this.#ended.has(id) || this.closed) return
    if (blob === undefined || this.#unreadable.has(id)) return
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const kept = await keptSubmission(notes, blob, join(directory, randomUUID()))
      const { topology } = makeTopology(
        { ...kept, jar: undefined, active: state.active },
        {
          startedMs,
          findJava: assumedJava,
          ...(readJava === undefined ? {} : { readJava }),
          ...(conf === undefined ? {} : { conf }),
        },
      )
      const entry: Entry = { ...newEntry(topology, blob), directory: undefined, starting: false }
      this.#byName.set(name, entry)
      this.#follow(entry, note)
      this.#events.adopted(entry)
      // Whoever noted it may have died before it was done.
      if (entry.pending === undefined && active !== undefined && active !== entry.active)
        this.background(entry, () => host.setActive(id, entry.active))
    } catch (error) {
      const again = isPassing(error)
      if (!again) this.#unreadable.add(id)
      const when = again ? 'cannot be taken over yet' : 'cannot be taken over'
      this.log(again ? 'warn' : 'error', name, `${when}: ${asError(error).message}`)
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
    if (!same) this.#events.pending(entry)
  }

  // ---- notes

  /** Writes the newest state, after those before it. When it cannot be written its caller is told, and what the note says holds. */
  keep(entry: Entry): Promise<void> {
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

  /** It is over: nothing of it is left. */
  async forget(entry: Entry): Promise<void> {
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

  /** The host's work for a topology, in order. */
  inTurn(entry: Entry, act: () => Promise<void>): Promise<void> {
    const done = entry.turn.then(act)
    entry.turn = done.catch(() => undefined)
    return done
  }

  /** The same, where nobody waits for it. */
  background(entry: Entry, act: () => Promise<void>): void {
    this.inTurn(entry, act).catch((error: unknown) => {
      this.log('error', entry.name, asError(error).message)
    })
  }

  log(level: 'info' | 'warn' | 'error', name: string, text: string): void {
    const timeMs = this.#options.clock.nowMs()
    this.#options.log.write({ level, where: `topology ${name}`, text, timeMs })
  }
}

// What was accepted once runs on its workers; whether there is a Java here, too, does not matter.
function assumedJava(lines: readonly StormLine[]): FoundJava {
  return { java: 'java', line: lines[0]!, classPath: [] }
}
