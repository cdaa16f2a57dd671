// Fetches records for the partitions of one task, in the background: one loop per node, each with one fetch at a time
// that asks for all partitions which that node leads and which have room. What goes wrong with one partition makes
// only that one rest; what goes wrong with a node makes its loop rest. What waits is bounded for all partitions together
// (`fetch.max.bytes`), and for each of them (`max.poll.records`).
import type { FetchedPartition, KafkaClient } from 'gearpump/kafka'
import { asError, Backoff } from 'gearpump/spi'
import type { ShellClock } from '../multilang/clock.ts'
import type { FetchSettings } from './spout-options.ts'
import type { SpoutPartition, WaitingBytes } from './spout-partition.ts'

/** What the spout says to the reader. */
export interface ReaderRules {
  /** May it hold more records now? */
  hasRoom(partition: SpoutPartition): boolean
  /** Called before records are taken over: AT_MOST_ONCE commits here. */
  readonly beforeRecords:
    | ((fetched: ReadonlyMap<SpoutPartition, number>) => Promise<void>)
    | undefined
  /** A partition that gives nothing for a reason other than that its leader moved. */
  onProblem(partition: SpoutPartition, problem: NonNullable<FetchedPartition['problem']>): void
  /** The leaders are not as they were. */
  onMoved(): void
  report(about: string, error: Error): void
}

/** A loop with nothing to ask looks again after this, or when it is woken. */
const IDLE_MS = 100
/** While some partitions of a node have no room, the others must not hold the node's only fetch for long. */
const SHORT_WAIT_MS = 50
const PROBLEM_REST_MS = 1000

export class RecordReader {
  readonly #client: KafkaClient
  readonly #settings: FetchSettings
  readonly #clock: ShellClock
  readonly #rules: ReaderRules
  readonly #waiting: WaitingBytes
  readonly #loops = new Map<number, Promise<void>>()
  #partitions: readonly SpoutPartition[] = []
  readonly #sleepers = new Set<() => void>()
  /** Loops whose node gave an error: they rest whatever has room. */
  readonly #rests = new Set<() => void>()
  #isClosed = false

  constructor(
    client: KafkaClient,
    settings: FetchSettings,
    parts: { clock: ShellClock; rules: ReaderRules; waiting: WaitingBytes },
  ) {
    this.#client = client
    this.#settings = settings
    this.#clock = parts.clock
    this.#rules = parts.rules
    this.#waiting = parts.waiting
  }

  /** What is read from now on; also called when leaders changed. */
  read(partitions: readonly SpoutPartition[]): void {
    this.#partitions = partitions
    for (const { leader } of partitions) {
      if (leader < 0 || this.#loops.has(leader) || this.#isClosed) continue
      this.#loops.set(leader, this.#loop(leader))
    }
    this.wake()
  }

  /** Some partition may have room again. */
  wake(): void {
    for (const wake of this.#sleepers) wake()
  }

  /** The client must be closed too: that ends the fetches under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const end of this.#rests) end()
    this.wake()
    await Promise.all(this.#loops.values())
  }

  async #loop(node: number): Promise<void> {
    const backoff = new Backoff({ maxMs: 10_000 })
    while (!this.#isClosed && this.#partitions.some(p => p.leader === node)) {
      const own = this.#partitions.filter(p => p.leader === node)
      const isFull = this.#waiting.total >= this.#settings.bytesMax
      const hungry = isFull ? [] : own.filter(p => this.#isHungry(p))
      if (hungry.length === 0) {
        await this.#pause(IDLE_MS, this.#sleepers)
        continue
      }
      try {
        backoff.started(this.#clock.nowMs())
        await this.#fetch(node, hungry, hungry.length === own.length)
      } catch (error) {
        if (this.#isClosed) break
        this.#rules.report(`node ${node}`, asError(error))
        this.#rules.onMoved()
        const restMs = Math.max(IDLE_MS, backoff.failed(this.#clock.nowMs()))
        await this.#pause(restMs, this.#rests)
      }
    }
    this.#loops.delete(node)
  }

  #isHungry(partition: SpoutPartition): boolean {
    return this.#clock.nowMs() >= partition.restUntilMs && this.#rules.hasRoom(partition)
  }

  async #fetch(node: number, hungry: readonly SpoutPartition[], isAll: boolean): Promise<void> {
    const { partitionBytesMax, bytesMax, bytesMin, waitMs, isolation } = this.#settings
    const positions = hungry.map(({ topic, partition, fetchOffset }) => ({
      topic,
      partition,
      offset: fetchOffset,
      bytesMax: partitionBytesMax,
    }))
    const wait = isAll ? waitMs : Math.min(waitMs, SHORT_WAIT_MS)
    // All nodes share the room that is left.
    const nodes = new Set(this.#partitions.map(({ leader }) => leader)).size
    const share = Math.floor((bytesMax - this.#waiting.total) / nodes)
    const answers = await this.#client.fetch(node, positions, {
      bytesMin,
      bytesMax: Math.max(partitionBytesMax, share),
      waitMs: wait,
      isolation,
    })
    const found = new Map<SpoutPartition, FetchedPartition>()
    for (const [at, answer] of answers.entries()) {
      const partition = hungry[at]!
      // Meanwhile it may have gone to another task, or have been put somewhere else.
      if (partition.ledger.isClosed) continue
      if (partition.fetchOffset === positions[at]!.offset) found.set(partition, answer)
    }
    await this.#take(found)
  }

  async #take(found: ReadonlyMap<SpoutPartition, FetchedPartition>): Promise<void> {
    const { beforeRecords } = this.#rules
    const moved = [...found].filter(([p, { nextOffset }]) => nextOffset > p.fetchOffset)
    if (beforeRecords !== undefined && moved.length > 0) {
      await beforeRecords(new Map(moved.map(([p, { nextOffset }]) => [p, nextOffset])))
    }
    for (const [partition, { records, nextOffset, problem }] of found) {
      if (partition.ledger.isClosed) continue
      if (problem === undefined || records.length > 0) partition.deliver(records, nextOffset)
      if (problem === undefined) continue
      partition.restUntilMs = this.#clock.nowMs() + PROBLEM_REST_MS
      if (problem.kind === 'moved') {
        partition.restUntilMs = this.#clock.nowMs() + IDLE_MS
        this.#rules.onMoved()
      } else this.#rules.onProblem(partition, problem)
    }
  }

  // Ends after `ms`, or when it is found in `among` and called.
  #pause(ms: number, among: Set<() => void>): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    return new Promise(resolve => {
      const end = () => {
        cancel()
        among.delete(end)
        resolve()
      }
      const cancel = this.#clock.after(ms, end)
      among.add(end)
    })
  }
}
