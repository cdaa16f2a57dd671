// The Kafka source: reads the partitions that were dealt to its task, emits their records, and commits offsets as what they caused
// is done. What is open is kept in memory for a replay; a slow record holds back nothing but the committed offset, and what is
// done behind it is remembered beside that. Fetching goes on in the background: `next` never waits for a broker.
import {
  asError,
  type EngineError,
  type Source,
  type SourceContext,
  type SourceSpiContext,
} from 'gearpump/spi'
import type { FetchProblem, KafkaClient, KafkaRecord, TopicPartition } from './client.ts'
import { DeadLetters } from './dead-letters.ts'
import { Fetcher } from './fetcher.ts'
import type { FetchedRecords, FetcherOwner } from './fetcher-owner.ts'
import {
  foreignPosition,
  placeOf,
  tooManyFailures,
  topicRemade,
  topicsMissing,
  undecoded,
} from './kafka-errors.ts'
import { type Ledgered, lagOf, OffsetCommits } from './offset-commits.ts'
import { OffsetLedger } from './offset-ledger.ts'
import { type KafkaParts, openKafka } from './open-client.ts'
import { detached, OpenRecords } from './open-records.ts'
import { type DealtPartition, dealtTo } from './partition-dealing.ts'
import {
  type Beginning,
  type KafkaPosition,
  PartitionStart,
  readPosition,
} from './partition-start.ts'
import { PartitionTroubles, type TroubledOwner } from './partition-troubles.ts'
import {
  type KafkaSourceOptions,
  type KafkaSourceSettings,
  sourceSettings,
} from './source-options.ts'
import { TopicChanges } from './topic-changes.ts'

/** Messages per `next`: enough to pay for the call, few enough to let others have their turn. */
const BATCH = 256
type Decode = (record: KafkaRecord) => unknown

/**
 * Declares a source that reads Kafka topics, for `source()`. At-least-once: a record is read again unless everything it caused is done.
 * Throws a UserError that lists all mistakes in the options.
 *
 * @example
 * source('orders', kafkaSource({
 *   brokers: ['kafka-1:9092'], topics: ['orders'], groupId: 'billing',
 *   decode: record => JSON.parse(String(record.value)),
 * }), { parallelism: 4 })
 */
export function kafkaSource<Out = KafkaRecord>(
  options: KafkaSourceOptions<Out>,
  parts: KafkaParts = {},
): () => Source<Out> {
  const settings = sourceSettings(options as KafkaSourceOptions<never>)
  const decode = (options.decode ?? identity) as Decode
  return () => new KafkaSource(settings, decode, parts) as unknown as Source<Out>
}

class KafkaSource implements Source<never>, FetcherOwner, TroubledOwner {
  readonly #settings: KafkaSourceSettings
  readonly #decode: Decode
  readonly #parts: KafkaParts
  /** Records are kept as they are: they are what is emitted, or may become dead letters. */
  readonly #whole: boolean
  readonly #partitions = new Map<string, Ledgered>()
  #context: SourceSpiContext | undefined = undefined
  #client: KafkaClient | undefined = undefined
  #fetcher: Fetcher | undefined = undefined
  #open: OpenRecords | undefined = undefined
  #commits: OffsetCommits | undefined = undefined
  #start: PartitionStart | undefined = undefined
  #letters: DeadLetters | undefined = undefined
  #troubles: PartitionTroubles | undefined = undefined
  #changes: TopicChanges | undefined = undefined
  #position: KafkaPosition | undefined = undefined
  #startedS = 0
  /** What is emitted now, whose partition it is of, and how far. */
  #chunk: FetchedRecords | undefined = undefined
  #ledger: OffsetLedger | undefined = undefined
  #index = 0
  #poisoned = 0
  #looking = false
  /** Partitions that are not read, by order: their topic was made anew while nothing ran. */
  readonly #resting = new Set<string>()
  #closed = false
  readonly #background = new Set<Promise<void>>()

  constructor(settings: KafkaSourceSettings, decode: Decode, parts: KafkaParts) {
    this.#settings = settings
    this.#decode = decode
    this.#whole = decode === identity || settings.deadLetterTopic !== undefined
    this.#parts = parts
  }

  async open(given: SourceContext<never>): Promise<void> {
    const context = given as unknown as SourceSpiContext
    const settings = this.#settings
    this.#context = context
    const position = readPosition(context.position)
    if (position === null) throw foreignPosition(context.processor, context.index)
    this.#position = position
    this.#startedS = position?.startedS ?? Math.floor(Date.now() / 1000)
    const { openClient = openKafka } = this.#parts
    const client = await openClient(settings.connection, {})
    this.#client = client
    this.#start = new PartitionStart(client, settings, context)
    const bounds = { recordsMax: settings.openMax, bytesMax: settings.openBytes }
    this.#open = new OpenRecords(bounds, (delayMs, fn) => {
      context.scheduleOnce(delayMs, () => {
        fn()
        context.wake()
      })
    })
    const { groupId, metadataBytes, deadLetterTopic } = settings
    this.#commits = new OffsetCommits(
      client,
      { groupId, metadataBytes, startedS: this.#startedS },
      error => context.report(error),
    )
    if (deadLetterTopic !== undefined) {
      this.#letters = new DeadLetters({
        client,
        topic: deadLetterTopic,
        after: (delayMs, fn) => context.scheduleOnce(delayMs, fn),
        report: error => context.report(error),
      })
    }
    this.#fetcher = new Fetcher(
      client,
      {
        partitionBytes: settings.fetchBytes,
        bufferBytes: settings.bufferBytes,
        waitMs: settings.waitMs,
        isolation: settings.isolation,
      },
      this,
    )
    const parts = {
      settings,
      client,
      fetcher: this.#fetcher,
      letters: this.#letters,
      partitions: this.#partitions,
    }
    this.#troubles = new PartitionTroubles(this, parts)
    this.#changes = new TopicChanges(this, parts)
    try {
      await this.#look(false)
      // From here on a start that follows soon knows where this one began.
      await this.#commits.commit(this.#partitions.values())
    } catch (error) {
      this.#fetcher.close()
      await client.close()
      throw error
    }
    context.schedule(settings.refreshMs, () => this.#lookAgain())
    context.schedule(settings.commitMs, () => this.#commit())
  }

  next(out: SourceContext<never>): boolean {
    const open = this.#open!
    for (let k = 0; k < BATCH; k++) {
      const again = open.takeDue()
      if (again !== undefined) {
        out.output(open.get(again).value as never, again)
        continue
      }
      if (open.full) return false
      const record = this.#take()
      if (record === undefined) return false
      this.#emit(out, record)
    }
    return true
  }

  done(id: unknown): void {
    const open = this.#open!
    const { full } = open
    open.done(id as number)
    if (full) this.#context!.wake()
  }

  fail(id: unknown): void {
    const open = this.#open!
    const failures = open.failed(id as number)
    if (failures <= this.#settings.failuresMax) {
      open.again(id as number)
      return
    }
    this.#poison(id as number, tooManyFailures(open.get(id as number), failures))
  }

  position(): unknown {
    const partitions = [...this.#partitions.values()].map(({ at, topicId, ledger }) => ({
      ...at,
      topicId,
      ...ledger.standing(),
    }))
    return { version: 1, startedS: this.#startedS, partitions } satisfies KafkaPosition
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#fetcher?.close()
    const letters = this.#letters?.close()
    await this.#commits?.finish(this.#partitions.values())
    await this.#client?.close()
    await letters
    await Promise.all(this.#background)
  }

  // ---- records

  // The next record that was not done before; undefined when there is none now.
  #take(): KafkaRecord | undefined {
    for (;;) {
      const chunk = this.#chunk
      if (chunk === undefined) {
        const next = this.#fetcher!.take()
        if (next === undefined) return undefined
        this.#chunk = next
        this.#index = 0
        this.#ledger = this.#partitions.get(placeOf(next.topic, next.partition))!.ledger
        continue
      }
      const record = chunk.records[this.#index]
      if (record === undefined) {
        this.#ledger!.pass(chunk.nextOffset)
        this.#chunk = undefined
        continue
      }
      this.#index++
      if (this.#ledger!.wants(record.offset)) return this.#whole ? detached(record) : record
    }
  }

  #emit(out: SourceContext<never>, record: KafkaRecord): void {
    const ledger = this.#ledger!
    let value: unknown
    try {
      value = this.#decode(record)
    } catch (error) {
      ledger.begin(record.offset)
      const id = this.#open!.add(undefined, record, ledger, record)
      this.#poison(id, undecoded(record, error))
      return
    }
    if (value === undefined) {
      ledger.pass(record.offset + 1)
      return
    }
    ledger.begin(record.offset)
    const kept = this.#whole ? record : undefined
    out.output(value as never, this.#open!.add(value, record, ledger, kept))
  }

  // A record that cannot be worked on. It stays open until it is somewhere else, or was given up by order.
  #poison(id: number, reason: EngineError): void {
    const open = this.#open!
    const { record, failures, topic, partition } = open.get(id)
    const context = this.#context!
    context.metric('poisoned', ++this.#poisoned)
    const { onPoison } = this.#settings
    if (onPoison === 'skip') {
      context.report(reason)
      this.done(id)
    } else if (onPoison === 'fail') {
      this.#troubles!.halt({ topic, partition }, reason)
    } else {
      context.report(reason)
      this.#letters!.send(record!, { reason, failures }, () => {
        this.done(id)
        context.wake()
      })
    }
  }

  // ---- what the fetcher tells

  ready(): void {
    if (!this.#closed) this.#context!.wake()
  }

  report(error: EngineError): void {
    if (!this.#closed) this.#context!.report(error)
  }

  after(delayMs: number, fn: () => void): void {
    if (!this.#closed) this.#context!.scheduleOnce(delayMs, fn)
  }

  stuck(at: TopicPartition, kind: FetchProblem, error: EngineError, after: number): void {
    if (this.#closed) return
    if (kind === 'corrupt') this.#context!.metric('poisoned', ++this.#poisoned)
    this.#troubles!.stuck({ topic: at.topic, partition: at.partition }, kind, error, after)
  }

  remade(at: TopicPartition, topicId: string): void {
    if (!this.#closed) this.#changes!.remade(at, topicId)
  }

  /** Nothing more of this partition is emitted. */
  halted(at: TopicPartition): void {
    const chunk = this.#chunk
    if (chunk !== undefined && chunk.topic === at.topic && chunk.partition === at.partition)
      this.#chunk = undefined
  }

  // ---- partitions

  #lookAgain(): void {
    if (this.#looking || this.#closed) return
    this.#looking = true
    this.run(async () => {
      try {
        await this.#look(true)
      } finally {
        this.#looking = false
      }
    })
  }

  // Takes what was dealt to this task and is not read yet.
  async #look(late: boolean): Promise<void> {
    const { choice } = this.#settings
    const context = this.#context!
    const topics = await this.#client!.topics(choice)
    if (!late && this.#position === undefined && !(choice instanceof RegExp)) {
      const there = new Set(topics.map(one => one.topic))
      const missing = choice.filter(topic => !there.has(topic))
      if (missing.length > 0) throw topicsMissing(missing)
    }
    if (late) this.#changes!.compare(topics)
    else if (topics.length === 0) context.log('warn', `no topic matches ${choice} yet`)
    const found = dealtTo(choice, topics, context).filter(({ topic, partition }) => {
      const place = placeOf(topic, partition)
      return !this.#partitions.has(place) && !this.#resting.has(place)
    })
    const known = new Set(
      this.#position?.partitions.map(({ topic, partition }) => placeOf(topic, partition)),
    )
    // Of a task that is opened again, what its position does not name appeared meanwhile.
    const isLate = (at: TopicPartition) =>
      late || (this.#position !== undefined && !known.has(placeOf(at.topic, at.partition)))
    await this.#begin(
      found.filter(at => !isLate(at)),
      false,
    )
    await this.#begin(found.filter(isLate), true)
  }

  async #begin(found: readonly DealtPartition[], late: boolean): Promise<void> {
    const beginning: Beginning = { startedS: this.#startedS, position: this.#position, late }
    const standings = await this.#start!.of(found, beginning)
    if (this.#closed) return
    for (const { topicId, ...at } of found) {
      const place = placeOf(at.topic, at.partition)
      const { standing, remade } = standings.get(place)!
      const rests = remade && this.#settings.onOffsetGone === 'fail'
      if (remade) this.report(topicRemade(at, undefined, rests ? undefined : standing.low))
      if (rests) {
        this.#resting.add(place)
        continue
      }
      this.#partitions.set(place, { at, topicId, ledger: new OffsetLedger(standing) })
      this.#fetcher!.assign(at, standing.low, topicId)
      const when = late ? ', which is new,' : ''
      this.#context!.log('info', `${place}${when} is read from offset ${standing.low}`)
    }
  }

  // ---- now and then

  #commit(): void {
    this.run(() => this.#commits!.commit(this.#partitions.values()))
    const { total, byPartition } = lagOf(this.#partitions, at => this.#fetcher!.logEnd(at))
    this.#context!.metric('lag', total)
    this.#context!.metric('lagByPartition', byPartition)
  }

  // Something that takes its time. `close` waits for it.
  run(fn: () => Promise<void>): void {
    const running = fn()
      .catch(error => this.#context!.report(asError(error)))
      .then(() => {
        this.#background.delete(running)
        if (!this.#closed) this.#context!.wake()
      })
    this.#background.add(running)
  }
}

const identity: Decode = record => record
