// A bounded, pausable reader over `KafkaClient.fetch`: its owner says which partitions and from where, and takes what has come. One request
// per leading node is under way at a time; a partition whose buffer is full is not asked for, others go on. Leaders that
// move and nodes that die are handled here; what only the owner can decide (an offset that is gone, a batch that does not read)
// stops that one partition and is told.
import { asError, type EngineError } from 'gearpump/spi'
import type { FetchedPartition, FetchProblem, KafkaClient, TopicPartition } from './client.ts'
import type { FetchedRecords, FetcherOwner, FetcherSettings } from './fetcher-owner.ts'
import { nobodyLeads, placeOf } from './kafka-errors.ts'
import { isOtherTopic } from './partition-dealing.ts'

/** Waits after a failure, doubled each time up to a bound. */
const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 5000
/** Nothing changes quickly where a right is missing. */
const REFUSED_WAIT_MS = 15_000
/** Of a request whose node leads partitions with full buffers too: they may have room again very soon. */
const SHORT_WAIT_MS = 20
/** A batch that does not read is asked for so often before it is told. */
const CORRUPT_TRIES = 3

interface Reading extends TopicPartition {
  /** Which topic the name meant when reading began; undefined = no broker told it. */
  topicId: string | undefined
  offset: number
  node: number
  paused: boolean
  /** Waits for `seek`, or for the end of a wait. */
  resting: boolean
  failures: number
  /** Raised by `seek`: an answer to an earlier question is thrown away. */
  turn: number
  logEnd: number
  bufferedBytes: number
  readonly buffered: { chunk: FetchedRecords; bytes: number }[]
}

export class Fetcher {
  readonly #client: KafkaClient
  readonly #settings: FetcherSettings
  readonly #owner: FetcherOwner
  readonly #readings = new Map<string, Reading>()
  /** Nodes with a request under way. */
  readonly #asking = new Map<number, Promise<void>>()
  #locating: Promise<void> | undefined = undefined
  #locateWaits = false
  #locateFailures = 0
  #bufferedBytes = 0
  #closed = false

  constructor(client: KafkaClient, settings: FetcherSettings, owner: FetcherOwner) {
    this.#client = client
    this.#settings = settings
    this.#owner = owner
  }

  assign({ topic, partition }: TopicPartition, offset: number, topicId?: string): void {
    this.#readings.set(placeOf(topic, partition), {
      topic,
      partition,
      topicId,
      offset,
      node: -1,
      paused: false,
      resting: false,
      failures: 0,
      turn: 0,
      logEnd: -1,
      bufferedBytes: 0,
      buffered: [],
    })
    this.#locate()
  }

  unassign(at: TopicPartition): void {
    const reading = this.#find(at)
    if (reading === undefined) return
    this.#clear(reading)
    this.#readings.delete(placeOf(at.topic, at.partition))
  }

  /** Goes on at `offset`, in this topic if one is named; what was buffered is forgotten. */
  seek(at: TopicPartition, offset: number, topicId?: string): void {
    const reading = this.#find(at)
    if (reading === undefined) return
    this.#clear(reading)
    reading.topicId = topicId ?? reading.topicId
    reading.offset = offset
    reading.resting = false
    reading.failures = 0
    this.#locate()
    this.#ask()
  }

  /**
   * Reading goes on at `offset`, which is further on: what lies between is not there any more. What was fetched before is
   * given out first; the step itself comes as a chunk without records.
   */
  skip(at: TopicPartition, offset: number): void {
    const reading = this.#find(at)
    if (reading === undefined) return
    const { topic, partition } = reading
    reading.buffered.push({
      chunk: { topic, partition, records: [], nextOffset: offset },
      bytes: 0,
    })
    reading.offset = offset
    reading.resting = false
    reading.failures = 0
    reading.turn++
    this.#owner.ready()
    this.#ask()
  }

  /** Reading ends here until `seek`: what is buffered is forgotten, or it would take the others' room. */
  halt(at: TopicPartition): void {
    const reading = this.#find(at)
    if (reading === undefined) return
    this.#clear(reading)
    reading.resting = true
    this.#ask()
  }

  /** Nothing more is asked for, and nothing of what is buffered is given out. */
  pause(at: TopicPartition): void {
    const reading = this.#find(at)
    if (reading !== undefined) reading.paused = true
  }

  resume(at: TopicPartition): void {
    const reading = this.#find(at)
    if (reading === undefined || !reading.paused) return
    reading.paused = false
    if (reading.buffered.length > 0) this.#owner.ready()
    this.#ask()
  }

  /** The next records of some partition, each in its turn; undefined when there are none now. */
  take(): FetchedRecords | undefined {
    for (const [key, reading] of this.#readings) {
      if (reading.paused || reading.buffered.length === 0) continue
      const { chunk, bytes } = reading.buffered.shift()!
      reading.bufferedBytes -= bytes
      this.#bufferedBytes -= bytes
      // To the end of the line.
      this.#readings.delete(key)
      this.#readings.set(key, reading)
      this.#ask()
      return chunk
    }
    return undefined
  }

  /** Where the partition ends, as told last; -1 = not known yet. */
  logEnd(at: TopicPartition): number {
    return this.#find(at)?.logEnd ?? -1
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Nothing is asked for or told any more. What is under way ends with its answer, or with the client. */
  close(): void {
    this.#closed = true
    this.#readings.clear()
  }

  #find({ topic, partition }: TopicPartition): Reading | undefined {
    return this.#readings.get(placeOf(topic, partition))
  }

  #clear(reading: Reading): void {
    this.#bufferedBytes -= reading.bufferedBytes
    reading.bufferedBytes = 0
    reading.buffered.length = 0
    reading.turn++
  }

  // ---- who leads

  // Asks who leads partitions that have no node; again after a wait while some have none.
  #locate(): void {
    if (this.#closed || this.#locating !== undefined || this.#locateWaits) return
    if (this.#homeless().length === 0) return
    let looked: readonly Reading[] = []
    // A breath later, so that all that are assigned in a row are asked for together.
    const looking = Promise.resolve().then(() => {
      looked = this.#homeless()
      return this.#lookUp(looked)
    })
    this.#locating = looking.then(problem => {
      this.#locating = undefined
      if (this.#closed) return
      this.#ask()
      const left = this.#homeless()
      if (left.length === 0) {
        this.#locateFailures = 0
        return
      }
      const before = new Set(looked)
      if (left.some(one => !before.has(one))) {
        // They came meanwhile and were not asked for.
        this.#locate()
        return
      }
      const failures = ++this.#locateFailures
      if (isTold(failures) && problem !== undefined) this.#owner.report(problem)
      this.#locateWaits = true
      this.#owner.after(waitMs(failures), () => {
        this.#locateWaits = false
        this.#locate()
      })
    })
  }

  #homeless(): Reading[] {
    return [...this.#readings.values()].filter(one => one.node < 0 && !one.resting)
  }

  async #lookUp(homeless: readonly Reading[]): Promise<EngineError | undefined> {
    try {
      const topics = await this.#client.topics([...new Set(homeless.map(one => one.topic))])
      const byName = new Map(topics.map(one => [one.topic, one]))
      for (const one of homeless) {
        const found = byName.get(one.topic)
        if (isOtherTopic(one.topicId, found?.id)) {
          one.resting = true
          this.#owner.remade(one, found!.id!)
          continue
        }
        one.node = found?.partitions.find(at => at.partition === one.partition)?.leader ?? -1
      }
      const left = homeless.filter(one => one.node < 0 && !one.resting)
      return left.length === 0 ? undefined : nobodyLeads(left)
    } catch (error) {
      return asError(error) as EngineError
    }
  }

  // ---- asking

  #ask(): void {
    if (this.#closed) return
    const nodes = new Map<number, Reading[]>()
    const short = new Set<number>()
    for (const reading of this.#readings.values()) {
      const { node } = reading
      if (node < 0 || this.#asking.has(node) || reading.paused || reading.resting) continue
      if (this.#isFull(reading)) {
        short.add(node)
        continue
      }
      const of = nodes.get(node)
      if (of === undefined) nodes.set(node, [reading])
      else of.push(reading)
    }
    // All nodes share the room that is left.
    const room = this.#settings.bufferBytes - this.#bufferedBytes
    const asked = this.#asking.size
    for (const [node, readings] of nodes) {
      const share = Math.ceil(room / (nodes.size + asked))
      const asking = this.#askNode(node, readings, { short: short.has(node), share }).then(() => {
        this.#asking.delete(node)
        this.#ask()
      })
      this.#asking.set(node, asking)
    }
  }

  // One answer may be buffered while another is on its way.
  #isFull({ bufferedBytes }: Reading): boolean {
    const { partitionBytes, bufferBytes } = this.#settings
    return bufferedBytes >= partitionBytes || this.#bufferedBytes >= bufferBytes
  }

  async #askNode(
    node: number,
    readings: readonly Reading[],
    { short, share }: { short: boolean; share: number },
  ): Promise<void> {
    const { partitionBytes, waitMs: longMs, isolation } = this.#settings
    const turns = readings.map(one => one.turn)
    const positions = readings.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset,
      bytesMax: partitionBytes,
    }))
    try {
      const answers = await this.#client.fetch(node, positions, {
        bytesMin: 1,
        bytesMax: Math.max(partitionBytes, share),
        waitMs: short ? Math.min(SHORT_WAIT_MS, longMs) : longMs,
        isolation,
      })
      if (this.#closed) return
      let some = false
      for (const [i, answer] of answers.entries()) {
        const reading = readings[i]!
        if (reading.turn !== turns[i]) continue
        if (this.#take(reading, answer)) some = true
      }
      if (some) this.#owner.ready()
    } catch (error) {
      this.#nodeFailed(readings, asError(error) as EngineError)
    }
  }

  // Takes the answer for one partition; true = there is something to give out.
  #take(reading: Reading, answer: FetchedPartition): boolean {
    if (answer.logEnd >= 0) reading.logEnd = answer.logEnd
    if (answer.problem !== undefined) {
      this.#failed(reading, answer.problem.kind, answer.problem.error, answer.nextOffset)
      return false
    }
    reading.failures = 0
    const { topic, partition, records, nextOffset, bytes } = answer
    if (nextOffset === reading.offset) return false
    reading.offset = nextOffset
    reading.buffered.push({ chunk: { topic, partition, records, nextOffset }, bytes })
    reading.bufferedBytes += bytes
    this.#bufferedBytes += bytes
    return true
  }

  // ---- failures

  #nodeFailed(readings: readonly Reading[], error: EngineError): void {
    if (this.#closed) return
    for (const [i, reading] of readings.entries()) {
      reading.failures++
      // One line for all of them.
      if (i === 0 && isTold(reading.failures)) this.#owner.report(error)
      this.#rest(
        reading,
        error.code === 'KAFKA_REFUSED' ? REFUSED_WAIT_MS : waitMs(reading.failures),
      )
    }
  }

  #failed(reading: Reading, kind: FetchProblem, error: EngineError, after: number): void {
    reading.failures++
    if (kind === 'out-of-range' || (kind === 'corrupt' && reading.failures >= CORRUPT_TRIES)) {
      reading.resting = true
      this.#owner.stuck(reading, kind, error, after)
      return
    }
    const silent = kind === 'corrupt' || (kind === 'moved' && reading.failures < CORRUPT_TRIES)
    if (!silent && isTold(reading.failures)) this.#owner.report(error)
    this.#rest(reading, kind === 'refused' ? REFUSED_WAIT_MS : waitMs(reading.failures))
  }

  // Asks for it again after a while, whoever leads it then.
  #rest(reading: Reading, delayMs: number): void {
    const { turn } = reading
    reading.resting = true
    this.#owner.after(delayMs, () => {
      if (this.#closed || reading.turn !== turn) return
      reading.resting = false
      reading.node = -1
      this.#locate()
    })
  }
}

function waitMs(failures: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (failures - 1))
}

// Told the first time, the second, the fourth, the eighth …
function isTold(times: number): boolean {
  return (times & (times - 1)) === 0
}
