// A master: stands for leader, answers roles and clients while it leads, tells who leads while it does not, and keeps
// blobs in either case. All state of the cluster is in the store; all that a leader knows besides is its Leadership,
// made anew each time that it becomes one.
import type { ActorContext } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import type { Address } from '../transport/link.ts'
import type { KeeperSettings } from './app-keeper.ts'
import type { BlobShelf } from './blob-shelf.ts'
import { Leadership } from './leadership.ts'
import {
  type AppRecord,
  type BundleRef,
  GEAR,
  type GearDoor,
  type LeaderCard,
  MASTER,
  type MasterDoor,
  type MasterSummary,
} from './messages.ts'
import { isBlobRef } from './notes.ts'
import type { Strategy } from './scheduler.ts'
import type { Candidacy, ClusterStore, Fence, Leader } from './store/store.ts'
import { checkSubmission } from './submission.ts'

/** A master that is asked whether it is there answers at once. */
const ALIVE_TIMEOUT_MS = 1000

export interface MasterOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly log: Log
  readonly name: string
  /** Where others reach this one. */
  readonly address: Address
  /** All masters, this one included. */
  readonly masters: readonly Address[]
  readonly store: ClusterStore
  readonly leaseMs: number
  readonly shelf: BlobShelf
  readonly settings: KeeperSettings
  readonly strategies: ReadonlyMap<string, Strategy>
  readonly strategy: string
  readonly secret: () => string
  readonly version: string
}

export class Master {
  readonly #options: MasterOptions
  readonly #candidacy: Candidacy
  #leadership: Leadership | undefined = undefined
  #fence: Fence | undefined = undefined
  #leader: Leader | undefined = undefined
  #closed = false
  #refuse: (error: Error) => void = () => undefined
  /** Rejects when it cannot be a master: its name is taken. Never resolves. */
  readonly failure: Promise<never>

  constructor(options: MasterOptions) {
    this.#options = options
    this.failure = new Promise((_, reject) => {
      this.#refuse = reject
    })
    this.failure.catch(() => undefined)
    options.system.spawn<MasterDoor>(MASTER, context => this.#masterDoor(context))
    options.system.spawn<GearDoor>(GEAR, () => this.#gearDoor(), { open: true })
    this.#candidacy = options.store.stand({
      name: options.name,
      address: JSON.stringify(options.address),
      ttlMs: options.leaseMs,
      onLead: fence => this.#onLead(fence),
      onLost: reason => this.#onLost(reason),
      onLeader: leader => {
        this.#leader = leader
      },
      onRefused: error => this.#refuse(error),
    })
  }

  get leads(): boolean {
    return this.#leadership !== undefined
  }

  #onLead(fence: Fence): void {
    this.#fence = fence
    this.#begin(fence).catch(error => {
      if (this.#fence !== fence || this.#closed) return
      this.#say('warn', `cannot read the store yet: ${asError(error).message}`)
      this.#options.environment.after(ALIVE_TIMEOUT_MS, () => {
        if (this.#fence === fence) this.#onLead(fence)
      })
    })
  }

  async #begin(fence: Fence): Promise<void> {
    const leadership = await Leadership.begin({ ...this.#options, fence })
    if (this.#fence !== fence || this.#closed) {
      leadership.close()
      return
    }
    this.#leadership = leadership
    this.#say('info', `leads, with ${leadership.registry.all().length} applications in the store`)
  }

  #onLost(reason: string): void {
    this.#fence = undefined
    this.#leadership?.close()
    this.#leadership = undefined
    if (!this.#closed) this.#say('warn', `leads no more: ${reason}`)
  }

  #say(level: 'info' | 'warn', text: string): void {
    log(this.#options.log, level, `master ${this.#options.name}`, text)
  }

  #lead(): Leadership {
    if (this.#leadership !== undefined) return this.#leadership
    const leader = this.#leader
    throw new EngineError('NOT_LEADER', `master ${this.#options.name} does not lead`, {
      hint: leader === undefined ? 'nobody leads at the moment' : `${leader.name} leads`,
    })
  }

  async #leaderCard(): Promise<LeaderCard | undefined> {
    const { name, address } = this.#options
    if (this.#leadership !== undefined && this.#fence !== undefined)
      return { name, address, term: this.#fence.revision }
    const leader = this.#leader
    // It was this one a moment ago, and is about to be again or not.
    if (leader === undefined || leader.name === name) return undefined
    return {
      name: leader.name,
      address: JSON.parse(leader.address) as Address,
      term: leader.fence.revision,
    }
  }

  // ---- doors

  #masterDoor(_context: ActorContext): MasterDoor {
    const { shelf } = this.#options
    return {
      registerWorker: async (...args) => this.#lead().registerWorker(...args),
      processStarted: async (workerId, process) => this.#lead().processStarted(workerId, process),
      unregisterWorker: async (workerId, incarnation) =>
        this.#lead().unregisterWorker(workerId, incarnation),
      processEnded: (workerId, process, reason) =>
        this.#leading(l => l.processEnded(workerId, process, reason)),
      registerAppMaster: (app, incarnation, self) =>
        this.#leading(l => l.registerAppMaster(app, incarnation, self)),
      grant: async (app, incarnation, count, avoid) =>
        this.#lead().grant(app, incarnation, count, avoid),
      releaseRoom: async (...args) => this.#lead().releaseRoom(...args),
      savePlan: (...args) => this.#leading(l => l.savePlan(...args)),
      saveClock: (...args) => this.#leading(l => l.saveClock(...args)),
      savePositions: (...args) => this.#leading(l => l.savePositions(...args)),
      appStarted: (...args) => this.#leading(l => l.appStarted(...args)),
      appFailed: (...args) => this.#leading(l => l.appFailed(...args)),
      leader: () => this.#leaderCard(),
      readBlob: (hash, offset, bytes) => shelf.read(hash, offset, bytes),
      pullBlob: (blob, from) => shelf.pull(blob, from),
    }
  }

  #gearDoor(): GearDoor {
    return {
      submit: submission => this.#leading(l => this.#submit(l, submission)),
      list: async () => {
        const { registry, workers } = this.#lead()
        return registry
          .all()
          .map(({ id, submission, status, submittedMs, endedMs, incarnation }) => ({
            id,
            name: submission.name,
            tag: submission.tag,
            status,
            submittedMs,
            endedMs,
            executors: submission.placement.executors,
            appMaster: workers.appMasterOf(id, incarnation)?.workerId,
          }))
      },
      find: async app => withoutSecrets(this.#lead().registry.find(app)),
      call: (...args) => this.#leading(l => l.control.call(...args)),
      setActive: (...args) => this.#leading(l => l.control.setActive(...args)),
      setCredentials: (...args) => this.#leading(l => l.control.setCredentials(...args)),
      rebalance: (...args) => this.#leading(l => l.control.rebalance(...args)),
      kill: app => this.#leading(l => l.kill(app)),
      restart: (...args) => this.#leading(l => this.#restart(l, ...args)),
      workers: async () => this.#lead().workers.summaries(),
      master: () => this.#leading(l => this.#summary(l)),
      leader: () => this.#leaderCard(),
      writeBlob: async (blob, offset, bytes) => {
        this.#lead()
        return this.#options.shelf.write(blob, offset, bytes)
      },
      readBlob: async (blob, offset, bytes) => {
        this.#lead()
        // A leader may be one of the few masters that had not copied it.
        await this.#options.shelf.fetch(blob, this.#others())
        return this.#options.shelf.read(blob.hash, offset, bytes)
      },
      notes: prefix => this.#leading(l => l.notes.list(prefix)),
      writeNote: async (name, text, blobs) => {
        for (const blob of blobs.filter(isBlobRef)) {
          await this.#options.shelf.fetch(blob, this.#others())
          await this.#spread(blob)
        }
        return this.#lead().notes.write(name, text, blobs)
      },
      removeNote: name => this.#leading(l => l.notes.remove(name)),
    }
  }

  async #leading<T>(work: (leadership: Leadership) => Promise<T>): Promise<T> {
    return work(this.#lead())
  }

  // Before it is answered a majority of the masters has the bundle, so that it outlives this one.
  async #submit(
    leadership: Leadership,
    submission: Parameters<GearDoor['submit']>[0],
  ): Promise<number> {
    checkSubmission(submission)
    if (submission.bundle !== undefined) await this.#spread(submission.bundle)
    return leadership.submit(submission)
  }

  async #spread(bundle: BundleRef): Promise<void> {
    const { shelf, masters, system, address } = this.#options
    const others = this.#others()
    // It came to another leader; or, of an application that is started again, room was made in the meantime.
    await shelf.fetch(bundle, others)
    const needed = Math.floor(masters.length / 2)
    if (needed === 0) return
    const copies = others.map(other =>
      system
        .ref<MasterDoor>({ node: other, name: MASTER })
        .within(shelf.pullTimeoutMs(bundle))
        .ask('pullBlob', bundle, address),
    )
    await majority(copies, needed)
  }

  #others(): readonly Address[] {
    const { masters, address } = this.#options
    return masters.filter(other => JSON.stringify(other) !== JSON.stringify(address))
  }

  // Heard again when its answer was lost, it may be done in full, or half: then the rest is done.
  async #restart(leadership: Leadership, app: number | string, requestId: string): Promise<number> {
    const done = await leadership.registry.ofRequest(requestId)
    if (done !== undefined) return done.id
    const record = leadership.registry.find(app)
    const { submission } = record
    checkSubmission({ ...submission, requestId })
    // What cannot be started again is not ended.
    if (submission.bundle !== undefined) await this.#spread(submission.bundle)
    await leadership.end(record.id)
    return leadership.submit({ ...submission, requestId })
  }

  async #summary(leadership: Leadership): Promise<MasterSummary> {
    const { name, address, masters, store, version } = this.#options
    const states = masters.map(async other => ({ address: other, state: await this.#state(other) }))
    return {
      name,
      address,
      pid: process.pid,
      store: store.kind,
      leaderSinceMs: leadership.sinceMs,
      masters: await Promise.all(states),
      workers: leadership.workers.size,
      apps: leadership.registry.all().length,
      version,
      rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
    }
  }

  async #state(other: Address): Promise<'leader' | 'standby' | 'silent'> {
    const { system, address } = this.#options
    if (JSON.stringify(other) === JSON.stringify(address)) return 'leader'
    try {
      await system
        .ref<MasterDoor>({ node: other, name: MASTER })
        .within(ALIVE_TIMEOUT_MS)
        .ask('leader')
      return 'standby'
    } catch {
      // Why it does not answer is in its own log, and in ours where it matters.
      return 'silent'
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#candidacy.resign()
  }
}

// The secret of the links between executors is not a client's business, and what was given as a secret is not given back.
function withoutSecrets(record: AppRecord): AppRecord {
  const { credentials: _, ...submission } = record.submission
  return { ...record, token: '', submission }
}

// Resolves when `needed` have; rejects when that cannot happen any more, with the first reason.
function majority(copies: readonly Promise<unknown>[], needed: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0
    let failed = 0
    for (const copy of copies) {
      copy.then(
        () => {
          if (++done >= needed) resolve()
        },
        error => {
          if (++failed > copies.length - needed) {
            const message = `too few masters could copy the bundle: ${asError(error).message}`
            reject(
              new EngineError('NO_QUORUM', message, {
                hint: 'more than half of the masters must be up',
              }),
            )
          }
        },
      )
    }
  })
}
