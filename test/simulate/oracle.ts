// The naive book-keeper of a world: follows every message by its anchors, knows what user code has done with each
// delivery, and says when the engine tells something else. It shares nothing with the progress code.
import type { Scenario } from './scenario.ts'

export interface Root {
  readonly number: number
  readonly task: number
  readonly bornMs: number
  readonly deliveries: Delivery[]
  /** Deliveries not acked. */
  unacked: number
  end: 'done' | 'failed' | 'lost' | undefined
  /** Why it may fail. */
  cause: string | undefined
  /** Pairs of executor slots its messages went between. */
  readonly pairs: Set<string>
  /** Inputs of it that are held and renewed all the time, and since when without a break. */
  renewing: number
  renewedSinceMs: number
  everRenewed: boolean
}

export interface Message {
  readonly number: number
  readonly roots: readonly Root[]
  readonly ttl: number
  readonly deliveries: Map<number, Delivery>
}

export interface Delivery {
  readonly message: Message
  readonly from: number
  readonly to: number
  /** Rank among all that went from that task to this one. */
  readonly rank: number
  /** Emitted off the sender's turn, or on an edge that closes a cycle: not bounded by credit. */
  readonly exempt: boolean
  state: 'sent' | 'taken' | 'acked' | 'failed' | 'lost'
  /** Held for ever on purpose. */
  stuck: boolean
}

export interface Stats {
  [name: string]: number
}

/** Faults of a link show up at most so late: silence is noticed after 10 s, a lost last frame at a heartbeat. */
const FAULT_LINGERS_MS = 14_000
/** A root that is renewed for this share of a period cannot time out. */
const RENEWED_SHARE = 0.75

export class Oracle {
  readonly scenario: Scenario
  readonly roots: Root[] = []
  readonly messages: Message[] = []
  readonly stats: Stats = {
    roots: 0,
    done: 0,
    failed: 0,
    timedOut: 0,
    lost: 0,
    tuples: 0,
    joins: 0,
    ahead: 0,
  }
  violation: string | undefined = undefined
  hash = 0x811c9dc5
  readonly #now: () => number
  readonly #ranks = new Map<number, number>()
  readonly #lastRank = new Map<number, number>()
  readonly #inFlight = new Map<number, number>()
  readonly #exemptInFlight = new Map<number, number>()
  readonly #faultMs = new Map<string, number>()
  readonly fences = new Map<string, number>()
  /** In the order of their birth. */
  readonly openRoots = new Set<Root>()
  /** What user code has and has not let go. */
  readonly inHand = new Set<Delivery>()

  constructor(scenario: Scenario, now: () => number) {
    this.scenario = scenario
    this.#now = now
  }

  broken(what: string): void {
    this.violation ??= `at ${this.#now().toFixed(2)} ms: ${what}`
  }

  note(...what: (number | string)[]): void {
    let hash = this.hash
    for (const part of [this.#now(), ...what]) {
      for (const char of String(part)) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    }
    this.hash = hash >>> 0
  }

  count(name: string, n = 1): void {
    this.stats[name] = (this.stats[name] ?? 0) + n
  }

  // ---- roots and messages

  root(task: number): Root {
    const root: Root = {
      number: this.roots.length,
      task,
      bornMs: this.#now(),
      deliveries: [],
      unacked: 0,
      end: undefined,
      cause: undefined,
      pairs: new Set(),
      renewing: 0,
      renewedSinceMs: 0,
      everRenewed: false,
    }
    this.roots.push(root)
    this.openRoots.add(root)
    this.count('roots')
    this.note('root', root.number)
    return root
  }

  message(roots: Iterable<Root>, ttl: number): Message {
    const message = {
      number: this.messages.length,
      roots: [...new Set(roots)],
      ttl,
      deliveries: new Map(),
    }
    this.messages.push(message)
    return message
  }

  /** The engine says: this message went to that task. Called before anybody can act on it. */
  sent(
    message: Message,
    from: number,
    to: number,
    pair: string | undefined,
    exempt: boolean,
  ): void {
    const key = keyOf(from, to)
    const rank = (this.#ranks.get(key) ?? 0) + 1
    this.#ranks.set(key, rank)
    const delivery: Delivery = { message, from, to, rank, exempt, state: 'sent', stuck: false }
    if (message.deliveries.has(to)) this.broken(`message ${message.number} went to ${to} twice`)
    message.deliveries.set(to, delivery)
    this.count('tuples')
    add(this.#inFlight, key, 1)
    if (exempt) add(this.#exemptInFlight, to, 1)
    for (const root of message.roots) {
      if (root.end === 'done')
        this.broken(`(1) root ${root.number} was done before message ${message.number}`)
      root.deliveries.push(delivery)
      root.unacked++
      if (pair !== undefined) root.pairs.add(pair)
    }
  }

  taken(number: number, to: number): Delivery {
    const message = this.messages[number]
    const delivery = message?.deliveries.get(to)
    if (delivery === undefined)
      throw this.stop(`task ${to} got message ${number}, which was not sent to it`)
    if (delivery.state !== 'sent') throw this.stop(`task ${to} got message ${number} twice`)
    const key = keyOf(delivery.from, to)
    if (delivery.rank <= (this.#lastRank.get(key) ?? 0))
      this.broken(`order: task ${to} got message ${number} of task ${delivery.from} too late`)
    this.#lastRank.set(key, delivery.rank)
    add(this.#inFlight, key, -1)
    if (delivery.exempt) add(this.#exemptInFlight, to, -1)
    delivery.state = 'taken'
    this.inHand.add(delivery)
    this.note('taken', number, to)
    return delivery
  }

  stop(what: string): Error {
    this.broken(what)
    return new Error(`simulated: ${what}`)
  }

  acked(delivery: Delivery): void {
    if (delivery.state !== 'taken') return
    delivery.state = 'acked'
    this.inHand.delete(delivery)
    delivery.stuck = false
    for (const root of delivery.message.roots) root.unacked--
    this.note('acked', delivery.message.number, delivery.to)
  }

  failed(delivery: Delivery, why: string): void {
    if (delivery.state !== 'taken') return
    delivery.state = 'failed'
    this.inHand.delete(delivery)
    delivery.stuck = false
    for (const root of delivery.message.roots) root.cause ??= why
    this.note('failed', delivery.message.number, delivery.to)
  }

  // ---- ends

  ended(root: Root, done: boolean): void {
    this.note('ended', root.number, done ? 1 : 0)
    if (root.end !== undefined) {
      this.broken(`(2) root ${root.number} ended twice: ${root.end}, ${done ? 'done' : 'failed'}`)
      return
    }
    root.end = done ? 'done' : 'failed'
    this.openRoots.delete(root)
    this.count(root.end)
    if (!this.tracked) return
    if (done && root.unacked > 0) {
      const open = root.deliveries.find(d => d.state !== 'acked')!
      this.broken(
        `(1) root ${root.number} is done, but message ${open.message.number} at task ${open.to} is ${open.state}`,
      )
    }
    if (done && this.roots.some(r => r.number < root.number && r.task === root.task && !r.end))
      this.count('ahead')
    if (!done) this.#judgeFailure(root)
  }

  /** A root ends by its second rotation, whatever becomes of its messages. */
  checkAges(): void {
    const { profile, faults } = this.scenario
    if (profile.timeoutMs === 0 || faults.stall > 0) return
    for (const root of this.openRoots) {
      const ageMs = this.#now() - root.bornMs
      if (ageMs <= profile.timeoutMs * 2 + 1) return
      if (!root.everRenewed) this.broken(`root ${root.number} did not time out in ${ageMs} ms`)
    }
  }

  get tracked(): boolean {
    return this.scenario.profile.guarantee === 'at-least-once'
  }

  #judgeFailure(root: Root): void {
    if (root.cause !== undefined) return
    for (const pair of root.pairs) {
      if ((this.#faultMs.get(pair) ?? -Infinity) >= root.bornMs - FAULT_LINGERS_MS) return
    }
    const nowMs = this.#now()
    const { timeoutMs } = this.scenario.profile
    if (timeoutMs === 0 || nowMs - root.bornMs < timeoutMs - 1) {
      this.broken(`root ${root.number} of task ${root.task} failed without a cause`)
      return
    }
    this.count('timedOut')
    const { loss, lateMs, stall } = this.scenario.faults
    if (root.renewing === 0 || loss > 0 || lateMs > 1 || stall > 0) return
    if (nowMs - root.renewedSinceMs > timeoutMs * RENEWED_SHARE)
      this.broken(`root ${root.number} timed out, though it was renewed all the time`)
  }

  /** Its source task is gone: nobody is to hear of it. */
  lostWithSource(root: Root): void {
    if (root.end !== undefined) return
    root.end = 'lost'
    this.openRoots.delete(root)
    this.count('lost')
  }

  /** The executor of these tasks is dead: what they held is held by nobody. */
  died(tasks: ReadonlySet<number>): void {
    for (const delivery of this.inHand) {
      if (!tasks.has(delivery.to)) continue
      this.inHand.delete(delivery)
      delivery.state = 'lost'
      delivery.stuck = false
    }
    for (const root of this.roots) if (tasks.has(root.task)) this.lostWithSource(root)
  }

  // ---- faults

  /** Something is wrong between two slots from now on, or was until now. */
  fault(a: number, b: number): void {
    this.#faultMs.set(pairOf(a, b), this.#now())
    add(this.fences, pairOf(a, b), 1)
  }

  faultless(pair: string): boolean {
    return !this.#faultMs.has(pair)
  }

  // ---- flow

  inFlight(from: number, to: number): number {
    return this.#inFlight.get(keyOf(from, to)) ?? 0
  }

  exemptInFlight(to: number): number {
    return this.#exemptInFlight.get(to) ?? 0
  }

  // ---- renewal

  renews(roots: readonly Root[], by: 1 | -1): void {
    for (const root of roots) {
      if (root.renewing === 0) root.renewedSinceMs = this.#now()
      root.everRenewed = true
      root.renewing += by
    }
  }
}

export function pairOf(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}

function keyOf(from: number, to: number): number {
  return from * 65_536 + to
}

function add<K>(counts: Map<K, number>, key: K, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n)
}
