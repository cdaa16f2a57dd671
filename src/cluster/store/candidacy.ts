// One master's standing for leader on a lease map. A term is the life of one lease: under it the master writes its
// name down (so that a second one of that name is noticed), creates the leader's key if there is none, and looks again
// each second, or when told that the key changed. The revision at which the key was created is the fence. When the
// lease ends, by whatever sign, the term is over and a new one begins. A leader that is silent for too long is removed
// (life-signs.ts). `onLead` and `onLost` alternate because only `#lead` and `#lose` call them.
import type { Environment } from '../../base/environment.ts'
import { asError, EngineError } from '../../base/errors.ts'
import { type Log, log } from '../../base/log.ts'
import { randomId } from './instance-id.ts'
import { Lease } from './lease.ts'
import { LeaseGone, type LeaseMap, type Pair, type TransactionAnswer } from './lease-map.ts'
import { LifeSigns, removalOf, signOf } from './life-signs.ts'
import { Pause } from './pause.ts'
import type { Candidacy, Candidate, Fence, Leader } from './store.ts'
import { leaderOf, type MasterRecord, masterRecord, type StoreKeys } from './store-keys.ts'

/** A watch may end unseen; this is how late a change is noticed then. */
const LOOK_MS = 1000
/**
 * Between two tries of a look that failed, and between terms; up to twice as long, so that masters do not march in
 * step.
 */
const RETRY_MS = 100
/**
 * Times to live a rival of the same name is given to go, in a time in which the store answers: no lease runs out while
 * the store is out of reach, and its own election prolongs a dead one's by a time to live.
 */
const RIVAL_TTLS = 3

export interface CandidacyParts {
  readonly map: LeaseMap
  readonly keys: StoreKeys
  readonly environment: Environment
  readonly log: Log
}

export class LeaseCandidacy implements Candidacy {
  readonly #parts: CandidacyParts
  readonly #candidate: Candidate
  readonly #pause: Pause
  // Tells this life of the master from an earlier one of the same name.
  readonly #instance: string
  readonly #done: Promise<void>
  #closed = false
  #lease: Lease | undefined
  #registered = false
  #fence: Fence | undefined
  #leader: Leader | undefined
  readonly #signs = new LifeSigns()
  #rival: { revision: number; sinceMs: number } | undefined
  #trouble: string | undefined

  constructor(parts: CandidacyParts, candidate: Candidate) {
    this.#parts = parts
    this.#candidate = candidate
    this.#pause = new Pause(parts.environment)
    this.#instance = randomId(parts.environment)
    this.#done = this.#run()
  }

  get fence(): Fence | undefined {
    return this.#fence
  }

  /** Whether `fence` is this master's right now, by its own clock. */
  holds(fence: Fence): boolean {
    // `valid` may notice that the lease is over, which ends the leadership.
    const valid = this.#lease?.valid() ?? false
    return valid && this.#fence !== undefined && this.#fence.revision === fence.revision
  }

  resign(): Promise<void> {
    this.#closed = true
    this.#lose('it resigned')
    this.#tellLeader(undefined)
    this.#pause.wake()
    return this.#done
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#term()
      } catch (error) {
        this.#note(error)
      }
      if (!this.#closed) await this.#pause.wait(this.#retryMs())
    }
  }

  async #term(): Promise<void> {
    const { map, keys, environment } = this.#parts
    this.#registered = false
    this.#rival = undefined
    const lease = await Lease.grant({
      map,
      environment,
      ttlMs: this.#candidate.ttlMs,
      sign: () => this.#sign(),
      onEnd: reason => {
        this.#lose(reason)
        // Out of touch for as long as a leader may be silent: who leads is not known any more.
        this.#tellLeader(undefined)
        this.#pause.wake()
      },
      onTrouble: error => this.#note(error),
    })
    this.#lease = lease
    const watches = [
      map.watch(keys.leader, () => this.#pause.wake()),
      map.watch(keys.sign, () => {
        if (this.#fence === undefined) this.#pause.wake()
      }),
    ]
    try {
      while (!this.#closed && lease.valid()) await this.#pause.wait(await this.#tryLook(lease))
    } finally {
      for (const watch of watches) watch.cancel()
      lease.end('its term is over')
      this.#lease = undefined
      // Another may lead without waiting for the lease to run out; if this fails, it does run out.
      await map.revoke(lease.id).catch(error => this.#note(error))
    }
  }

  // Looks once; answers how long to wait for the next look.
  async #tryLook(lease: Lease): Promise<number> {
    try {
      const waitMs = await this.#look(lease)
      this.#trouble = undefined
      return waitMs
    } catch (error) {
      if (error instanceof LeaseGone) lease.end('its lease ran out in the store')
      else this.#note(error)
      this.#rival = undefined
      return this.#retryMs()
    }
  }

  // Part of each keep-alive. Without it a standby would take this leader for dead.
  async #sign(): Promise<void> {
    const fence = this.#fence
    if (fence === undefined) return
    const { map, keys } = this.#parts
    const { succeeded } = await map.transact(signOf(keys, fence.revision))
    if (succeeded || this.#fence?.revision !== fence.revision) return
    this.#lose("the leader's key is gone, or another's")
    this.#pause.wake()
  }

  async #look(lease: Lease): Promise<number> {
    const { map, keys } = this.#parts
    if (!this.#registered) this.#registered = await this.#register(lease)
    if (!this.#registered || this.#closed) return LOOK_MS
    const answer = await map.transact({
      compare: [{ key: keys.leader, createRevision: 0 }],
      success: [{ put: keys.leader, value: this.#record(lease), lease: lease.id }],
      failure: [{ get: keys.leader }, { get: keys.sign }],
    })
    // An answer that comes after the deadline is of no use: the key goes with the lease.
    if (this.#closed || !lease.valid()) return LOOK_MS
    return this.#judge(lease, answer)
  }

  // Answers how long to wait for the next look.
  async #judge(lease: Lease, answer: TransactionAnswer): Promise<number> {
    if (answer.succeeded) {
      this.#lead(answer.revision)
      return LOOK_MS
    }
    const [pair, sign] = answer.found
    const record = pair === undefined ? undefined : masterRecord(pair.value)
    if (pair === undefined || record === undefined) {
      throw new EngineError('BUG', `the leader's key holds no leader: ${pair?.value}`)
    }
    if (record.lease === lease.id) {
      // It leads already, or the answer that told so was lost.
      this.#lead(pair.createRevision)
      return LOOK_MS
    }
    this.#lose(`${record.name} leads`)
    if (record.instance === this.#instance) {
      this.#endFormerTerm(record)
      return LOOK_MS
    }
    this.#tellLeader(leaderOf(pair))
    const { environment, map, keys } = this.#parts
    const nowMs = environment.monotonicMs()
    const leftMs = this.#signs.leftMs(pair, sign, { ttlMs: record.ttlMs, nowMs })
    if (leftMs > 0) return Math.min(LOOK_MS, leftMs)
    const { succeeded } = await map.transact(removalOf(keys, pair, sign))
    if (succeeded)
      log(this.#parts.log, 'warn', `master ${this.#candidate.name}`, `${record.name} is silent`)
    return 0
  }

  // The key of our own former term is still there: its lease could not be revoked at the time.
  #endFormerTerm(record: MasterRecord): void {
    this.#tellLeader(undefined)
    this.#parts.map.revoke(record.lease).then(
      () => this.#pause.wake(),
      error => this.#note(error),
    )
  }

  async #register(lease: Lease): Promise<boolean> {
    const { map, keys } = this.#parts
    const key = keys.master(this.#candidate.name)
    const put = { put: key, value: this.#record(lease), lease: lease.id }
    const answer = await map.transact({
      compare: [{ key, createRevision: 0 }],
      success: [put],
      failure: [{ get: key }],
    })
    if (answer.succeeded) return true
    const pair = answer.found[0]
    const record = pair === undefined ? undefined : masterRecord(pair.value)
    if (pair === undefined || record === undefined) {
      throw new EngineError('BUG', `a master's key holds no master: ${pair?.value}`)
    }
    if (record.instance !== this.#instance) return this.#giveWay(pair, record)
    if (record.lease === lease.id) return true
    const again = await map.transact({
      compare: [{ key, revision: pair.revision }],
      success: [put],
      failure: [],
    })
    return again.succeeded
  }

  // Another one has the name. If it is dead, as after a restart of this master, its lease runs out; if not, we go.
  #giveWay(pair: Pair, record: MasterRecord): false {
    const nowMs = this.#parts.environment.monotonicMs()
    if (this.#rival?.revision !== pair.revision) {
      this.#rival = { revision: pair.revision, sinceMs: nowMs }
    }
    const waitedMs = nowMs - this.#rival.sinceMs
    const patienceMs = RIVAL_TTLS * Math.max(record.ttlMs, this.#candidate.ttlMs)
    if (waitedMs <= patienceMs) return false
    const { name, address } = this.#candidate
    this.#closed = true
    const error = new EngineError(
      'MASTER_NAME_TAKEN',
      `another master is called "${name}", the one at ${record.address}: it was alive all the ` +
        `${Math.round(waitedMs)} ms that this one, at ${address}, has waited for the name`,
      { hint: 'give each master of the cluster a name of its own', details: { name, address } },
    )
    this.#tell(() => this.#candidate.onRefused(error))
    return false
  }

  #lead(revision: number): void {
    const { name, address } = this.#candidate
    if (this.#fence?.revision === revision) return
    this.#lose("the leader's key was made anew")
    const fence: Fence = { revision, holder: name }
    this.#fence = fence
    this.#tell(() => this.#candidate.onLead(fence))
    this.#tellLeader({ name, address, fence })
  }

  #lose(reason: string): void {
    if (this.#fence === undefined) return
    this.#fence = undefined
    this.#tell(() => this.#candidate.onLost(reason))
  }

  #tellLeader(leader: Leader | undefined): void {
    if (leader?.fence.revision === this.#leader?.fence.revision) return
    this.#leader = leader
    this.#tell(() => this.#candidate.onLeader(leader))
  }

  // What a callback throws is the master's bug, not the store's trouble: it must not be taken for a failed look.
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#parts.environment.defer(() => {
        throw error
      })
    }
  }

  #record(lease: Lease): string {
    const { name, address, ttlMs } = this.#candidate
    const record: MasterRecord = { name, address, ttlMs, instance: this.#instance, lease: lease.id }
    return JSON.stringify(record)
  }

  #retryMs(): number {
    return RETRY_MS * (1 + this.#parts.environment.random())
  }

  // The same trouble is said once, not ten times a second.
  #note(error: unknown): void {
    const text = asError(error).message
    if (text === this.#trouble) return
    this.#trouble = text
    log(this.#parts.log, 'warn', `master ${this.#candidate.name}`, `the store: ${text}`)
  }
}
