// The client, over the connections of either driver: what is asked, whom, and what an answer means. A request goes to one broker, and what
// an answer does not acknowledge by its name counts as not sent; leaders and coordinators are found, forgotten when they
// fail, and found again.
import type {
  CommittedOffset,
  FetchedPartition,
  FetchLimits,
  FetchPosition,
  KafkaClient,
  KafkaConnection,
  KafkaTransaction,
  OffsetPlace,
  PartitionOffset,
  PreparedTransaction,
  ProduceBatch,
  ProducerOptions,
  TopicChoice,
  TopicInfo,
  TopicPartition,
} from '../client.ts'
import { type Asked, brokerError, fetchProblem, kafkaFailed, unreadable } from '../kafka-errors.ts'
import { Retries } from '../retries.ts'
import { topicFilter } from '../topic-filter.ts'
import { BrokerNodes, type Linking } from './broker-nodes.ts'
import { idsKnownRequest, type Metadata, metadataRequest } from './metadata-requests.ts'
import { readBatches } from './record-batch.ts'
import {
  coordinatorRequest,
  type FetchedBytes,
  fetchRequest,
  listOffsetsRequest,
  offsetCommitRequest,
  offsetFetchRequest,
  type PartitionAnswer,
  type WireRequest,
} from './requests.ts'
import { WireProducer } from './wire-producer.ts'
import { WireTransactions } from './wire-transactions.ts'

const UNKNOWN_TOPIC = 3
const EARLIEST = -2
const LATEST = -1

/** What a request to the coordinator of a group, or of a transactional id, is about. */
export interface CoordinatorKey {
  readonly kind: 'group' | 'transaction'
  readonly key: string
}

export class WireClient implements KafkaClient {
  readonly #nodes: BrokerNodes
  readonly #retries = new Retries()
  readonly #producer: WireProducer
  readonly #transactions: WireTransactions
  readonly #leaders = new Map<string, Map<number, number>>()
  readonly #refreshing = new Map<string, Promise<void>>()
  readonly #coordinators = new Map<string, number>()
  /** Whether brokers tell ids of topics; undefined = not asked yet. */
  #idsKnown: boolean | undefined = undefined

  constructor(connection: KafkaConnection, linking: Linking, options: ProducerOptions = {}) {
    this.#nodes = new BrokerNodes(connection, linking)
    this.#producer = new WireProducer(this, this.#retries, options)
    this.#transactions = new WireTransactions(this, this.#retries, this.#producer)
  }

  topics(choice: TopicChoice): Promise<readonly TopicInfo[]> {
    return this.#retries.run(async () => {
      const { topics } = await this.#metadata(choice instanceof RegExp ? null : choice)
      const matches = choice instanceof RegExp ? topicFilter(choice) : undefined
      const found: TopicInfo[] = []
      for (const { error, topic, id, internal, partitions } of topics) {
        if (matches !== undefined && (internal || !matches(topic))) continue
        if (error === UNKNOWN_TOPIC) continue
        const asked: Asked = { what: 'cannot be looked up', topic }
        if (error !== 0 && partitions.length === 0) throw brokerError(error, asked)
        const sorted = [...partitions].sort((a, b) => a.partition - b.partition)
        found.push({
          topic,
          id,
          partitions: sorted.map(({ partition, leader }) => ({ partition, leader })),
        })
      }
      return found
    })
  }

  offsets(
    at: OffsetPlace,
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionOffset[]> {
    return this.#retries.run(async () => {
      const wanted = at === 'earliest' ? EARLIEST : at === 'latest' ? LATEST : at.timestampMs
      const found = await this.#listOffsets(wanted, partitions)
      const beyond = found.filter(one => one.offset < 0)
      if (beyond.length === 0) return found
      const ends = await this.#listOffsets(LATEST, beyond)
      return [...found.filter(one => one.offset >= 0), ...ends]
    })
  }

  committed(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly CommittedOffset[]> {
    const asked: Asked = { what: 'has offsets that cannot be read', groupId }
    return this.#retries.run(async () => {
      const request = offsetFetchRequest(groupId, partitions)
      const answer = await this.askCoordinator({ kind: 'group', key: groupId }, request)
      this.checkCoordinated(groupId, answer.error, asked)
      for (const { topic, partition, error } of answer.partitions)
        this.checkCoordinated(groupId, error, { ...asked, topic, partition })
      return answer.partitions
        .filter(({ offset }) => offset >= 0)
        .map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }))
    })
  }

  commit(groupId: string, offsets: readonly CommittedOffset[]): Promise<readonly TopicPartition[]> {
    const asked: Asked = { what: 'cannot be committed', groupId }
    return this.#retries.run(async () => {
      const request = offsetCommitRequest(groupId, offsets)
      const answers = await this.askCoordinator({ kind: 'group', key: groupId }, request)
      const gone = answers.filter(({ error }) => error === UNKNOWN_TOPIC)
      for (const { topic, partition, error } of answers) {
        if (error !== UNKNOWN_TOPIC)
          this.checkCoordinated(groupId, error, { ...asked, topic, partition })
      }
      checkAll(offsets, answers, asked)
      return gone.map(({ topic, partition }) => ({ topic, partition }))
    })
  }

  async fetch(
    node: number,
    positions: readonly FetchPosition[],
    limits: FetchLimits,
  ): Promise<readonly FetchedPartition[]> {
    const answer = await this.#nodes.send(node, fetchRequest(positions, limits))
    const asked: Asked = { what: 'cannot be read', node: this.#nodes.describe(node) }
    if (answer.error !== 0) throw brokerError(answer.error, asked)
    const answered = new Map(answer.partitions.map(one => [`${one.topic}/${one.partition}`, one]))
    return positions.map(position => {
      const found = answered.get(`${position.topic}/${position.partition}`)
      if (found !== undefined) return fetched(found, position, asked, limits)
      const { topic, partition } = position
      throw kafkaFailed(`${topic}[${partition}] is missing in the answer to a fetch`, 'a bug', {
        retriable: true,
      })
    })
  }

  produce(batch: ProduceBatch): Promise<{ readonly baseOffset: number }> {
    return this.#producer.produce(batch)
  }

  beginTransaction(transactionalId: string): Promise<KafkaTransaction> {
    return this.#transactions.begin(transactionalId)
  }

  endTransaction(prepared: PreparedTransaction, end: 'commit' | 'abort'): Promise<void> {
    return this.#transactions.end(prepared, end)
  }

  async close(): Promise<void> {
    this.#retries.close()
    this.#nodes.close()
  }

  // ---- for the producer and the transactions

  /** The node that leads; -1 when there is none now. */
  async leader(topic: string, partition: number): Promise<number> {
    const known = this.#leaders.get(topic)?.get(partition)
    if (known !== undefined && known >= 0) return known
    await this.refresh(topic)
    return this.#leaders.get(topic)?.get(partition) ?? -1
  }

  /** Asks for the leaders of a topic; who asks meanwhile gets the same answer. */
  refresh(topic: string): Promise<void> {
    const running = this.#refreshing.get(topic)
    if (running !== undefined) return running
    const started = this.#metadata([topic])
      .then(({ topics }) => {
        const { error } = topics[0]!
        if (error !== 0 && topics[0]!.partitions.length === 0)
          throw brokerError(error, { what: 'cannot be looked up', topic })
      })
      .finally(() => this.#refreshing.delete(topic))
    this.#refreshing.set(topic, started)
    return started
  }

  forgetLeader(topic: string, partition: number): void {
    this.#leaders.get(topic)?.delete(partition)
  }

  send<T>(node: number, request: WireRequest<T>): Promise<T> {
    return this.#nodes.send(node, request)
  }

  sendAny<T>(request: WireRequest<T>): Promise<T> {
    return this.#nodes.sendAny(request)
  }

  describe(node: number): string {
    return this.#nodes.describe(node)
  }

  async askCoordinator<T>({ kind, key }: CoordinatorKey, request: WireRequest<T>): Promise<T> {
    let node = this.#coordinators.get(key)
    if (node === undefined) {
      const found = await this.#nodes.sendAny(coordinatorRequest(key, kind))
      const asked: Asked =
        kind === 'group'
          ? { what: 'has no coordinator', groupId: key }
          : { what: `has no coordinator for the transactional id ${key}` }
      if (found.error !== 0) throw brokerError(found.error, asked, found.message ?? undefined)
      // Where it is now: it may have come back elsewhere, and may lead nothing that is asked for otherwise.
      this.#nodes.place(found)
      node = found.node
      this.#coordinators.set(key, node)
    }
    try {
      return await this.#nodes.send(node, request)
    } catch (error) {
      this.#coordinators.delete(key)
      throw error
    }
  }

  /** Throws for an error of a coordinator, and looks for another one next time. */
  checkCoordinated(key: string, error: number, asked: Asked): void {
    if (error === 0) return
    this.#coordinators.delete(key)
    throw brokerError(error, asked)
  }

  // ----

  async #metadata(topics: readonly string[] | null): Promise<Metadata> {
    const metadata = await this.#askMetadata(topics)
    this.#nodes.learn(metadata.nodes)
    // All topics there are: what was deleted meanwhile is forgotten.
    if (topics === null) this.#leaders.clear()
    for (const { topic, partitions } of metadata.topics)
      this.#leaders.set(topic, new Map(partitions.map(one => [one.partition, one.leader])))
    return metadata
  }

  async #askMetadata(topics: readonly string[] | null): Promise<Metadata> {
    this.#idsKnown ??= await this.#nodes.sendAny(idsKnownRequest())
    try {
      return await this.#nodes.sendAny(metadataRequest(topics, this.#idsKnown))
    } catch (error) {
      // Of brokers of two versions, the one that was asked now may be the older.
      this.#idsKnown = undefined
      throw error
    }
  }

  async #listOffsets(
    timestampMs: number,
    partitions: readonly TopicPartition[],
  ): Promise<PartitionOffset[]> {
    const byNode = new Map<number, TopicPartition[]>()
    for (const one of partitions) {
      const { topic, partition } = one
      const node = await this.leader(topic, partition)
      const asked: Asked = { what: 'has offsets that cannot be looked up', topic, partition }
      if (node < 0) throw brokerError(5, asked)
      const of = byNode.get(node)
      if (of === undefined) byNode.set(node, [one])
      else of.push(one)
    }
    const asking = [...byNode].map(([node, of]) => this.#listOffsetsOf(node, timestampMs, of))
    return (await Promise.all(asking)).flat()
  }

  async #listOffsetsOf(
    node: number,
    timestampMs: number,
    partitions: readonly TopicPartition[],
  ): Promise<PartitionOffset[]> {
    const asked: Asked = {
      what: 'has offsets that cannot be looked up',
      node: this.#nodes.describe(node),
    }
    try {
      const request = listOffsetsRequest(timestampMs, partitions, 'uncommitted')
      const answers = await this.#nodes.send(node, request)
      for (const { topic, partition, error } of answers) {
        if (error !== 0) throw brokerError(error, { ...asked, topic, partition })
      }
      checkAll(partitions, answers, asked)
      return answers.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
    } catch (error) {
      for (const { topic, partition } of partitions) this.forgetLeader(topic, partition)
      throw error
    }
  }
}

// A partition that was asked for and not answered must not pass for one that went well.
function checkAll(
  wanted: readonly TopicPartition[],
  answers: readonly PartitionAnswer[],
  asked: Asked,
): void {
  const answered = new Set(answers.map(({ topic, partition }) => `${topic}/${partition}`))
  for (const { topic, partition } of wanted) {
    if (answered.has(`${topic}/${partition}`)) continue
    throw kafkaFailed(
      `${topic}[${partition}] ${asked.what}: the broker did not answer for it`,
      'it is tried again',
      { topic, partition, retriable: true },
    )
  }
}

function fetched(
  found: FetchedBytes,
  position: FetchPosition,
  asked: Asked,
  limits: FetchLimits,
): FetchedPartition {
  const { topic, partition, logStart, highWatermark, stableEnd, aborted } = found
  const logEnd = limits.isolation === 'committed' ? stableEnd : highWatermark
  const base = { topic, partition, logStart, logEnd, bytes: 0 }
  if (found.error !== 0) {
    const error = brokerError(found.error, { ...asked, topic, partition })
    const problem = { kind: fetchProblem(found.error), error }
    return { ...base, records: [], nextOffset: position.offset, problem }
  }
  const from = position.offset
  const { records, nextOffset, bytes, corrupt } = readBatches(found.bytes, {
    topic,
    partition,
    from,
    aborted,
  })
  // What lies before it is handed on first; it is met again at the beginning of the next answer.
  if (corrupt === undefined || nextOffset > from) return { ...base, records, nextOffset, bytes }
  const place = { topic, partition, offset: from, node: asked.node }
  const error = unreadable(place, 'batch', new Error(corrupt.reason))
  return { ...base, records: [], nextOffset: corrupt.after, problem: { kind: 'corrupt', error } }
}
