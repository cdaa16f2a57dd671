// Sends records in batches: one queue per partition, at most one batch of it under way, and what comes meanwhile goes
// with the next. All partitions that have something leave together, since the client puts what goes to one broker into
// one request: a request costs the broker and us as much as dozens of records (send-moment.ts says when). Bounded by
// bytes: the caller waits for `ready` before it brings more.
import type { KafkaClient, ProducedRecord } from 'gearpump/kafka'
import { asError, EngineError } from 'gearpump/spi'
import type { ShellClock } from '../multilang/clock.ts'
import { partitionOfKey } from './producer-partitions.ts'
import { SendMoment } from './send-moment.ts'

export interface SenderSettings {
  /** Bytes of one batch; a larger record goes alone. */
  readonly batchBytesMax: number
  /** Bytes that wait or are under way; at the bound `ready` waits. */
  readonly bufferBytesMax: number
  /** How long the first record of a batch waits for others; undefined: while others keep coming, but not for long. */
  readonly lingerMs: number | undefined
  /** How long the number of a topic's partitions is believed. */
  readonly metadataMaxAgeMs: number
}

/** Called once for each record, with an error if it is not certain to be written. */
export type Sent = (error: Error | undefined) => void

interface Waiting {
  readonly record: ProducedRecord
  readonly bytes: number
  readonly sent: Sent
}

class Lane {
  readonly topic: string
  readonly partition: number
  waiting: Waiting[] = []
  waitingBytes = 0
  /** When the first of those that wait came. */
  sinceMs = 0
  isBusy = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }
}

interface Topic {
  readonly lanes: readonly Lane[]
  readonly readMs: number
  /** The lane of records without a key. */
  sticky: number
}

/** Records that one batch holds at most: the broker's index counts them in 32 bits, memory ends long before. */
const BATCH_RECORDS_MAX = 10_000
const RECORD_BYTES = 32

export class RecordSender {
  readonly #client: KafkaClient
  readonly #settings: SenderSettings
  readonly #clock: ShellClock
  readonly #topics = new Map<string, Promise<Topic>>()
  readonly #known = new Map<string, Topic>()
  /** Lanes with records that wait and none under way. */
  readonly #due = new Set<Lane>()
  readonly #moment: SendMoment
  #bytes = 0
  #isClosed = false
  #waiters: (() => void)[] = []

  constructor(client: KafkaClient, settings: SenderSettings, clock: ShellClock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
    this.#moment = new SendMoment(settings.lingerMs, clock, () => this.#depart())
  }

  send(topicName: string, record: ProducedRecord, sent: Sent): void {
    const bytes = RECORD_BYTES + sizeOf(record.key) + sizeOf(record.value)
    this.#bytes += bytes
    const waiting = { record, bytes, sent }
    const known = this.#known.get(topicName)
    if (known !== undefined && this.#isFresh(known)) {
      this.#queue(known, waiting)
      return
    }
    this.#topic(topicName).then(
      topic => this.#queue(topic, waiting),
      (error: unknown) => this.#end([waiting], asError(error)),
    )
  }

  /** Resolves when there is room; undefined when there is room now. */
  ready(): Promise<void> | undefined {
    if (this.#bytes < this.#settings.bufferBytesMax) return undefined
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  /** Resolves when all that was brought has ended. */
  async drained(): Promise<void> {
    while (this.#bytes > 0 && !this.#isClosed) {
      await new Promise<void>(resolve => this.#waiters.push(resolve))
    }
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  #isFresh({ readMs }: Topic): boolean {
    return this.#clock.nowMs() - readMs < this.#settings.metadataMaxAgeMs
  }

  #topic(name: string): Promise<Topic> {
    const asked = this.#topics.get(name)
    if (asked !== undefined) return asked
    const asking = this.#readTopic(name).finally(() => this.#topics.delete(name))
    this.#topics.set(name, asking)
    return asking
  }

  async #readTopic(name: string): Promise<Topic> {
    const [found] = await this.#client.topics([name])
    const count = found?.partitions.length ?? 0
    if (count === 0) {
      throw new EngineError('KAFKA_FAILED', `there is no topic "${name}" in this Kafka cluster`, {
        hint: 'create it first: topics are not created by writing to them here',
        details: { topic: name },
      })
    }
    const earlier = this.#known.get(name)?.lanes ?? []
    const lanes = Array.from({ length: count }, (_, at) => earlier[at] ?? new Lane(name, at))
    const topic = { lanes, readMs: this.#clock.nowMs(), sticky: 0 }
    this.#known.set(name, topic)
    return topic
  }

  #queue(topic: Topic, waiting: Waiting): void {
    const { key = null } = waiting.record
    const lanes = topic.lanes
    const at = key === null ? topic.sticky : partitionOfKey(Buffer.from(key), lanes.length)
    const lane = lanes[at]!
    const nowMs = this.#clock.nowMs()
    if (lane.waiting.length === 0) lane.sinceMs = nowMs
    lane.waiting.push(waiting)
    lane.waitingBytes += waiting.bytes
    this.#moment.arrived(nowMs)
    if (!lane.isBusy) this.#isDue(lane, { nowMs, count: 1 })
  }

  // It has records, and nothing under way: it leaves with the next departure, or now when a batch of it is full.
  #isDue(lane: Lane, { nowMs, count }: { nowMs: number; count: number }): void {
    this.#due.add(lane)
    if (lane.waitingBytes >= this.#settings.batchBytesMax) this.#moment.now()
    else this.#moment.due(count, { nowMs, sinceMs: lane.sinceMs })
  }

  #depart(): void {
    const due = [...this.#due]
    this.#due.clear()
    for (const lane of due) void this.#sendBatch(lane)
  }

  async #sendBatch(lane: Lane): Promise<void> {
    lane.isBusy = true
    const batch = this.#takeBatch(lane)
    const { topic, partition } = lane
    this.#leaveSticky(lane)
    try {
      const records = batch.map(({ record }) => record)
      await this.#client.produce({ topic, partition, records })
      this.#end(batch, undefined)
    } catch (error) {
      this.#end(batch, asError(error))
    }
    lane.isBusy = false
    const count = lane.waiting.length
    if (count > 0) this.#isDue(lane, { nowMs: this.#clock.nowMs(), count })
  }

  // Records without a key go to the next partition when a batch has left.
  #leaveSticky({ topic: name, partition }: Lane): void {
    const topic = this.#known.get(name)!
    if (topic.sticky === partition) topic.sticky = (partition + 1) % topic.lanes.length
  }

  #takeBatch(lane: Lane): Waiting[] {
    const { waiting } = lane
    let bytes = 0
    let count = 0
    while (count < waiting.length && count < BATCH_RECORDS_MAX) {
      const more = bytes + waiting[count]!.bytes
      if (count > 0 && more > this.#settings.batchBytesMax) break
      bytes = more
      count++
    }
    lane.waitingBytes -= bytes
    return waiting.splice(0, count)
  }

  #end(batch: readonly Waiting[], error: Error | undefined): void {
    for (const { bytes, sent } of batch) {
      this.#bytes -= bytes
      sent(error)
    }
    if (this.#bytes < this.#settings.bufferBytesMax) this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }
}

function sizeOf(data: Buffer | string | null | undefined): number {
  return data?.length ?? 0
}
