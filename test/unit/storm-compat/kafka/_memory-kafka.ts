// A Kafka cluster in memory, as far as a spout and a bolt see it: topics, records with gaps, commits of groups,
// leaders. Fetches that find nothing wait until anything changes. Faults are set by hand.
import type {
  CommittedOffset,
  FetchedPartition,
  FetchLimits,
  FetchPosition,
  KafkaClient,
  KafkaRecord,
  OffsetPlace,
  PartitionOffset,
  ProduceBatch,
  TopicChoice,
  TopicPartition,
} from '../../../../connectors/kafka/client.ts'
import { EngineError, type ErrorCode } from '../../../../src/base/errors.ts'

interface MemoryPartition {
  records: KafkaRecord[]
  start: number
  end: number
  leader: number
}

export class MemoryKafka {
  readonly partitions = new Map<string, MemoryPartition>()
  readonly groups = new Map<string, CommittedOffset>()
  /** Every commit, in order. */
  readonly commits: CommittedOffset[] = []
  /** Calls of these methods fail. */
  readonly failing = new Set<keyof KafkaClient>()
  failure: ErrorCode = 'KAFKA_UNREACHABLE'
  readonly calls = new Map<keyof KafkaClient, number>()
  /** While it is there, questions for offsets wait in it to be let go. */
  held: (() => void)[] | undefined = undefined
  /** A produce to this topic is held until it is let go. */
  readonly batches: ProduceBatch[] = []
  readonly ids = new Map<string, string>()
  fetches = 0
  /** Bytes that each fetch asked for at most. */
  readonly asked: number[] = []
  clients = 0
  #made = 0
  #waiting: (() => void)[] = []

  topic(name: string, partitions = 1): this {
    for (let partition = 0; partition < partitions; partition++) {
      this.partitions.set(`${name}-${partition}`, { records: [], start: 0, end: 0, leader: 1 })
    }
    this.ids.set(name, `id ${++this.#made}`)
    return this
  }

  /** The topic is deleted. */
  remove(topic: string): void {
    for (const name of [...this.partitions.keys()]) {
      if (name.slice(0, name.lastIndexOf('-')) === topic) this.partitions.delete(name)
    }
    this.ids.delete(topic)
    this.changed()
  }

  at(name: string): MemoryPartition {
    return this.partitions.get(name)!
  }

  /** Appends values to `topic-partition`; undefined leaves a gap, null is a tombstone. */
  append(name: string, ...values: (string | null | undefined)[]): this {
    const at = this.at(name)
    const dash = name.lastIndexOf('-')
    for (const value of values) {
      const offset = at.end++
      if (value === undefined) continue
      at.records.push({
        topic: name.slice(0, dash),
        partition: Number(name.slice(dash + 1)),
        offset,
        timestampMs: offset * 1000,
        key: Buffer.from(`k${offset}`),
        value: value === null ? null : Buffer.from(value),
        headers: [],
      })
    }
    this.changed()
    return this
  }

  changed(): void {
    for (const go of this.#waiting.splice(0)) go()
  }

  committed(group: string, name: string): number | undefined {
    return this.groups.get(`${group} ${name}`)?.offset
  }

  check(method: keyof KafkaClient): void {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1)
    if (this.failing.has(method)) throw new EngineError(this.failure, `no broker for ${method}`, {})
  }

  waitForChange(signal: { closed: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => (signal.closed ? reject(new Error('closed')) : resolve()))
    })
  }

  client(): KafkaClient {
    this.clients++
    return new MemoryClient(this)
  }
}

class MemoryClient implements KafkaClient {
  readonly #kafka: MemoryKafka
  readonly #signal = { closed: false }

  constructor(kafka: MemoryKafka) {
    this.#kafka = kafka
  }

  async topics(choice: TopicChoice) {
    this.#kafka.check('topics')
    const topics = new Map<string, { partition: number; leader: number }[]>()
    for (const [name, { leader }] of this.#kafka.partitions) {
      const dash = name.lastIndexOf('-')
      const topic = name.slice(0, dash)
      const wanted = choice instanceof RegExp ? choice.test(topic) : choice.includes(topic)
      if (!wanted) continue
      const partitions = topics.get(topic) ?? []
      topics.set(topic, [...partitions, { partition: Number(name.slice(dash + 1)), leader }])
    }
    return [...topics].map(([topic, partitions]) => ({
      topic,
      id: this.#kafka.ids.get(topic),
      partitions,
    }))
  }

  async offsets(place: OffsetPlace, partitions: readonly TopicPartition[]) {
    this.#kafka.check('offsets')
    const { held } = this.#kafka
    if (held !== undefined) await new Promise<void>(resolve => held.push(resolve))
    return partitions.map(({ topic, partition }): PartitionOffset => {
      const { records, start, end } = this.#kafka.at(`${topic}-${partition}`)
      const later =
        typeof place === 'object'
          ? records.find(r => r.timestampMs >= place.timestampMs)
          : undefined
      const offset = place === 'earliest' ? start : (later?.offset ?? end)
      return { topic, partition, offset }
    })
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]) {
    this.#kafka.check('committed')
    return partitions.flatMap(({ topic, partition }) => {
      const found = this.#kafka.groups.get(`${groupId} ${topic}-${partition}`)
      return found === undefined ? [] : [found]
    })
  }

  async commit(groupId: string, offsets: readonly CommittedOffset[]) {
    this.#kafka.check('commit')
    const gone = offsets.filter(
      ({ topic, partition }) => !this.#kafka.partitions.has(`${topic}-${partition}`),
    )
    for (const offset of offsets) {
      if (gone.includes(offset)) continue
      this.#kafka.groups.set(`${groupId} ${offset.topic}-${offset.partition}`, offset)
      this.#kafka.commits.push(offset)
    }
    return gone
  }

  async fetch(node: number, positions: readonly FetchPosition[], { bytesMax }: FetchLimits) {
    this.#kafka.fetches++
    this.#kafka.asked.push(bytesMax)
    this.#kafka.check('fetch')
    const ask = () => positions.map(position => this.#fetchOne(node, position))
    const answers = ask()
    if (answers.some(a => a.records.length > 0 || a.problem !== undefined)) return answers
    await this.#kafka.waitForChange(this.#signal)
    this.#kafka.check('fetch')
    return ask()
  }

  #fetchOne(node: number, { topic, partition, offset }: FetchPosition): FetchedPartition {
    const log = this.#kafka.partitions.get(`${topic}-${partition}`)
    if (log === undefined) {
      const error = new EngineError('KAFKA_FAILED', 'gone', {})
      const base = { topic, partition, records: [], nextOffset: offset, logStart: -1, logEnd: -1 }
      return { ...base, bytes: 0, problem: { kind: 'gone', error } }
    }
    const { records, start, end, leader } = log
    const about = {
      topic,
      partition,
      records: [],
      nextOffset: offset,
      logStart: start,
      logEnd: end,
      bytes: 0,
    }
    const error = new EngineError('KAFKA_FAILED', 'by hand', {})
    if (leader !== node) return { ...about, problem: { kind: 'moved', error } }
    if (offset < start || offset > end)
      return { ...about, problem: { kind: 'out-of-range', error } }
    const found = records.filter(r => r.offset >= offset).slice(0, 100)
    const last = found.at(-1)
    const nextOffset = last === undefined ? offset : last === records.at(-1) ? end : last.offset + 1
    return { ...about, records: found, nextOffset }
  }

  async produce(batch: ProduceBatch) {
    this.#kafka.check('produce')
    const name = `${batch.topic}-${batch.partition}`
    const at = this.#kafka.at(name)
    const baseOffset = at.end
    this.#kafka.batches.push(batch)
    this.#kafka.append(name, ...batch.records.map(r => r.value?.toString() ?? null))
    return { baseOffset }
  }

  beginTransaction(): never {
    throw new Error('not here')
  }

  endTransaction(): never {
    throw new Error('not here')
  }

  async close() {
    this.#signal.closed = true
    this.#kafka.changed()
  }
}
