// A Kafka cluster of one node in memory, as far as the connectors ask for one: partitions with holes, groups, failures on order. Fetches
// wait until something is appended or `tick`; nothing here reads a clock.
import { EngineError } from 'gearpump/spi'
import type {
  CommittedOffset,
  FetchedPartition,
  FetchPosition,
  KafkaClient,
  KafkaRecord,
  KafkaTransaction,
  ProduceBatch,
  TopicChoice,
  TopicPartition,
} from '../../../../connectors/kafka/client.ts'
import { kafkaFailed, unreachable } from '../../../../connectors/kafka/kafka-errors.ts'
import { topicFilter } from '../../../../connectors/kafka/topic-filter.ts'

const NODE = 1
/** Records in one answer: small, so that tests see many. */
const ANSWER_RECORDS = 7

interface Log {
  readonly records: KafkaRecord[]
  start: number
  end: number
}

export class MemoryKafka {
  readonly topics = new Map<string, Log[]>()
  readonly commits = new Map<string, CommittedOffset>()
  /** Every commit in its order. */
  readonly committed: CommittedOffset[] = []
  /** Offsets of corrupt records, as `topic[partition]@offset`. */
  readonly corrupt = new Set<string>()
  /** While set, writing fails with it. */
  refusing: EngineError | undefined = undefined
  /** Writes have neither an effect nor an end after so many more. */
  writesLeft = Number.POSITIVE_INFINITY
  /** Batches that were asked to be written. */
  writes = 0
  /** Of every topic; undefined stands for brokers that tell none. */
  readonly ids = new Map<string, string | undefined>()
  clients = 0
  nowMs = 1_000_000
  /** What each answer for a partition is said to weigh. */
  answerBytes = 100
  readonly #waiting = new Set<() => void>()
  #made = 0

  create(topic: string, partitions: number): void {
    const logs = this.topics.get(topic) ?? []
    while (logs.length < partitions) logs.push({ records: [], start: 0, end: 0 })
    this.topics.set(topic, logs)
    if (!this.ids.has(topic)) this.ids.set(topic, `id ${++this.#made}`)
  }

  append(topic: string, partition: number, value: string | null, holes = 0): number {
    const log = this.log({ topic, partition })
    const offset = log.end + holes
    log.records.push({
      topic,
      partition,
      offset,
      timestampMs: this.nowMs++,
      key: null,
      value: value === null ? null : Buffer.from(value),
      headers: [],
    })
    log.end = offset + 1
    this.tick()
    return offset
  }

  /** Records below are gone. */
  expire(at: TopicPartition, below: number): void {
    const log = this.log(at)
    log.start = below
    log.end = Math.max(log.end, below)
    log.records.splice(0, log.records.length, ...log.records.filter(one => one.offset >= below))
  }

  /** The topic is deleted. */
  remove(topic: string): void {
    this.topics.delete(topic)
    this.ids.delete(topic)
    this.tick()
  }

  find({ topic, partition }: TopicPartition): Log | undefined {
    return this.topics.get(topic)?.[partition]
  }

  log({ topic, partition }: TopicPartition): Log {
    const log = this.find({ topic, partition })
    if (log === undefined) throw new Error(`the test asks for ${topic}[${partition}]`)
    return log
  }

  values(topic: string): string[] {
    return (this.topics.get(topic) ?? []).flatMap(log =>
      log.records.map(record => String(record.value)),
    )
  }

  /** Fetches that wait have waited long enough. */
  tick(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  waited(): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
    })
  }

  open = async (): Promise<KafkaClient> => {
    this.clients++
    return new MemoryClient(this)
  }
}

class MemoryClient implements KafkaClient {
  readonly #kafka: MemoryKafka
  #closed = false

  constructor(kafka: MemoryKafka) {
    this.#kafka = kafka
  }

  async topics(choice: TopicChoice) {
    const matches =
      choice instanceof RegExp ? topicFilter(choice) : (topic: string) => choice.includes(topic)
    return [...this.#kafka.topics]
      .filter(([topic]) => matches(topic))
      .map(([topic, logs]) => ({
        topic,
        id: this.#kafka.ids.get(topic),
        partitions: logs.map((_, partition) => ({ partition, leader: NODE })),
      }))
  }

  async offsets(
    at: 'earliest' | 'latest' | { timestampMs: number },
    partitions: readonly TopicPartition[],
  ) {
    return partitions.map(({ topic, partition }) => {
      const log = this.#kafka.log({ topic, partition })
      if (at === 'earliest') return { topic, partition, offset: log.start }
      if (at === 'latest') return { topic, partition, offset: log.end }
      const found = log.records.find(record => record.timestampMs >= at.timestampMs)
      return { topic, partition, offset: found?.offset ?? log.end }
    })
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]) {
    return partitions.flatMap(({ topic, partition }) => {
      const found = this.#kafka.commits.get(`${groupId} ${topic}[${partition}]`)
      return found === undefined ? [] : [found]
    })
  }

  async commit(groupId: string, offsets: readonly CommittedOffset[]) {
    const gone = offsets.filter(one => this.#kafka.find(one) === undefined)
    for (const one of offsets) {
      if (gone.includes(one)) continue
      this.#kafka.commits.set(`${groupId} ${one.topic}[${one.partition}]`, one)
      this.#kafka.committed.push(one)
    }
    return gone
  }

  async fetch(_node: number, positions: readonly FetchPosition[]) {
    for (;;) {
      if (this.#closed) throw unreachable('memory', new Error('this client is closed'))
      const answers = positions.map(position => this.#read(position))
      const some = answers.some((answer, i) => {
        return answer.problem !== undefined || answer.nextOffset > positions[i]!.offset
      })
      if (some) return answers
      await this.#kafka.waited()
      if (this.#closed) continue
      return positions.map(position => this.#read(position))
    }
  }

  #read({ topic, partition, offset }: FetchPosition): FetchedPartition {
    const log = this.#kafka.find({ topic, partition })
    if (log === undefined) {
      const base = { topic, partition, logStart: -1, logEnd: -1, bytes: 0 }
      const error = kafkaFailed(`${topic}[${partition}] is gone`, '')
      return { ...base, records: [], nextOffset: offset, problem: { kind: 'gone', error } }
    }
    const base = {
      topic,
      partition,
      logStart: log.start,
      logEnd: log.end,
      bytes: this.#kafka.answerBytes,
    }
    if (offset < log.start || offset > log.end) {
      const error = kafkaFailed(`${topic}[${partition}] has no offset ${offset}`, '')
      return { ...base, records: [], nextOffset: offset, problem: { kind: 'out-of-range', error } }
    }
    const ahead = log.records.filter(record => record.offset >= offset).slice(0, ANSWER_RECORDS)
    const bad = ahead.findIndex(one =>
      this.#kafka.corrupt.has(`${topic}[${partition}]@${one.offset}`),
    )
    if (bad === 0) {
      const error = new EngineError('KAFKA_RECORD_INVALID', 'a bad batch', { details: { offset } })
      const nextOffset = ahead[0]!.offset + 1
      return { ...base, records: [], nextOffset, problem: { kind: 'corrupt', error } }
    }
    const records = bad > 0 ? ahead.slice(0, bad) : ahead
    const last = records.at(-1)
    const whole = last === undefined || last.offset === log.records.at(-1)?.offset
    return { ...base, records, nextOffset: whole ? log.end : last.offset + 1 }
  }

  async produce({ topic, partition, records }: ProduceBatch) {
    const kafka = this.#kafka
    kafka.writes++
    if (kafka.refusing !== undefined) throw kafka.refusing
    if (kafka.writesLeft-- <= 0) await new Promise(() => undefined)
    const log = kafka.log({ topic, partition })
    const baseOffset = log.end
    for (const { key = null, value, headers = [], timestampMs } of records) {
      log.records.push({
        topic,
        partition,
        offset: log.end++,
        timestampMs: timestampMs ?? kafka.nowMs++,
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers,
      })
    }
    if (kafka.writesLeft-- <= 0) await new Promise(() => undefined)
    kafka.tick()
    return { baseOffset }
  }

  async beginTransaction(): Promise<KafkaTransaction> {
    throw new Error('no transactions in memory')
  }

  async endTransaction(): Promise<void> {
    throw new Error('no transactions in memory')
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#kafka.clients--
    this.#kafka.tick()
  }
}
