// The Kafka sink: collects records per partition, sends each partition its own batches, and lets an input go only when the broker has
// acknowledged exactly that batch. Partitions do not wait for each other. What a broker cannot take just now is kept and sent
// again; the task takes no more input than its bound meanwhile.
import {
  asError,
  EngineError,
  type Hold,
  type Task,
  type TaskContext,
  type TaskSpiContext,
} from 'gearpump/spi'
import type { KafkaClient } from './client.ts'
import { kafkaFailed, placeOf } from './kafka-errors.ts'
import { partitionOfKey } from './key-partitioner.ts'
import { type KafkaParts, openKafka } from './open-client.ts'
import { type OutboxParts, PartitionOutbox } from './partition-outbox.ts'
import {
  type KafkaOutput,
  type KafkaSinkOptions,
  type KafkaSinkSettings,
  sinkSettings,
} from './sink-options.ts'

/** How often it is looked whether topics have more partitions. */
const REFRESH_MS = 60_000
/** At its end the task waits so long for what is under way; what is not acknowledged by then fails. */
const STOP_MS = 10_000
/** Far more than a topology writes to; a mistake in `encode` would make one of every message. */
const TOPICS_MAX = 10_000

type Encode = (value: never) => KafkaOutput | undefined

/** Partitions of one topic, and where records without a key go now. */
interface TopicOutbox {
  partitions: PartitionOutbox[]
  current: number
}

/**
 * Declares a sink that writes to Kafka topics, for `processor()`. An input is done when the broker has acknowledged its record. Throws a
 * UserError that lists all mistakes in the options.
 *
 * @example
 * processor('out', kafkaSink({ brokers: ['kafka-1:9092'], topic: 'counts', encode: ([word, n]) => ({ key: word, value: `${n}` }) }))
 */
export function kafkaSink<In = unknown>(
  options: KafkaSinkOptions<In>,
  parts: KafkaParts = {},
): () => Task<In, never> {
  const settings = sinkSettings(options as KafkaSinkOptions<never>)
  const encode = (options.encode ?? outputOf) as Encode
  return () => new KafkaSink(settings, encode, parts) as unknown as Task<In, never>
}

class KafkaSink implements Task<never, never> {
  readonly #settings: KafkaSinkSettings
  readonly #encode: Encode
  readonly #parts: KafkaParts
  #context: TaskSpiContext | undefined = undefined
  #client: KafkaClient | undefined = undefined
  #outboxParts: OutboxParts | undefined = undefined
  readonly #topics = new Map<string, TopicOutbox>()
  /** Topics being looked up, with what happens to those that wait for it. */
  readonly #finding = new Map<string, Promise<TopicOutbox>>()
  #keptBytes = 0
  #room: { promise: Promise<void>; resolve: () => void } | undefined = undefined

  constructor(settings: KafkaSinkSettings, encode: Encode, parts: KafkaParts) {
    this.#settings = settings
    this.#encode = encode
    this.#parts = parts
  }

  async onStart(given: TaskContext<never>): Promise<void> {
    const context = given as unknown as TaskSpiContext
    const { openClient = openKafka } = this.#parts
    const { connection, producer, topic, batchBytes, lingerMs } = this.#settings
    const client = await openClient(connection, producer)
    this.#context = context
    this.#client = client
    this.#outboxParts = {
      client,
      batchBytes,
      lingerMs,
      after: (delayMs, fn) => context.after(delayMs, fn),
      report: error => context.report(error),
      freed: bytes => this.#freed(bytes),
    }
    try {
      if (topic !== undefined) await this.#find(topic)
    } catch (error) {
      await client.close()
      throw error
    }
    context.schedule(REFRESH_MS, () => this.#refresh())
  }

  onNext(value: never, context: TaskContext<never>): void | Promise<void> {
    const output = this.#encode(value)
    if (output === undefined) return
    const topic = output.topic ?? this.#settings.topic
    if (topic === undefined) throw noTopic(context)
    const known = this.#topics.get(topic)
    if (known === undefined) return this.#later(topic, output, context.hold())
    this.#add(known, topic, output, context.hold())
    if (this.#keptBytes < this.#settings.bufferBytes) return
    this.#room ??= withResolve()
    return this.#room.promise
  }

  async onStop(): Promise<void> {
    const outboxes = [...this.#topics.values()].flatMap(one => one.partitions)
    const finished = Promise.all(outboxes.map(one => one.finish()))
    const late = withResolve()
    const timer = this.#context?.after(STOP_MS, late.resolve)
    await Promise.race([finished, late.promise])
    timer?.cancel()
    // Fails what is still under way, so that it ends.
    await this.#client?.close()
    await finished
    this.#room?.resolve()
  }

  // ---- records

  // The task waits for a topic it has not written to yet: the order of its messages stays.
  async #later(topic: string, output: KafkaOutput, hold: Hold): Promise<void> {
    try {
      this.#add(await this.#find(topic), topic, output, hold)
    } catch (error) {
      this.#context!.report(asError(error))
      hold.fail()
    }
  }

  #add(known: TopicOutbox, topic: string, output: KafkaOutput, hold: Hold): void {
    const outbox = this.#outboxOf(known, output)
    if (outbox === undefined) {
      this.#context!.report(noPartition(topic, output.partition!, known.partitions.length))
      hold.fail()
      return
    }
    this.#keptBytes += outbox.add(output, hold)
  }

  #outboxOf(known: TopicOutbox, { key, partition }: KafkaOutput): PartitionOutbox | undefined {
    const { partitions } = known
    if (partition !== undefined) return partitions[partition]
    if (key !== undefined && key !== null) return partitions[partitionOfKey(key, partitions.length)]
    // Stays with one partition until its batch is full: few large batches rather than many small ones.
    if (partitions[known.current]!.waitingBytes >= this.#settings.batchBytes / 2)
      known.current = (known.current + 1) % partitions.length
    return partitions[known.current]
  }

  #freed(bytes: number): void {
    this.#keptBytes -= bytes
    if (this.#room === undefined || this.#keptBytes > this.#settings.bufferBytes / 2) return
    this.#room.resolve()
    this.#room = undefined
  }

  // ---- topics

  #find(topic: string): Promise<TopicOutbox> {
    let finding = this.#finding.get(topic)
    if (finding === undefined) {
      finding = this.#lookUp(topic).finally(() => this.#finding.delete(topic))
      this.#finding.set(topic, finding)
    }
    return finding
  }

  async #lookUp(topic: string): Promise<TopicOutbox> {
    const [found] = await this.#client!.topics([topic])
    if (found === undefined) throw topicMissing(topic)
    let known = this.#topics.get(topic)
    if (known === undefined) {
      if (this.#topics.size >= TOPICS_MAX) throw tooManyTopics(topic)
      // Each task begins elsewhere, or the first partition would have all of them.
      known = { partitions: [], current: this.#context!.index % found.partitions.length }
      this.#topics.set(topic, known)
    }
    for (let p = known.partitions.length; p < found.partitions.length; p++)
      known.partitions.push(new PartitionOutbox({ topic, partition: p }, this.#outboxParts!))
    return known
  }

  #refresh(): void {
    for (const topic of this.#topics.keys())
      this.#find(topic).catch(error => this.#context!.report(asError(error)))
  }
}

function outputOf(value: unknown): KafkaOutput {
  if (typeof value === 'string') return { value }
  if (value instanceof Uint8Array) return { value: Buffer.from(value) }
  const json = JSON.stringify(value)
  if (json !== undefined) return { value: json }
  throw new EngineError('BAD_INPUT', `a message that is ${typeof value} has no value for Kafka`, {
    hint: 'give kafkaSink an encode function that makes { value } of it',
  })
}

function noTopic({ processor }: TaskContext<never>): EngineError {
  return new EngineError('BAD_INPUT', `${processor}: nothing says which topic a message goes to`, {
    hint: 'give kafkaSink a topic, or have encode return one',
  })
}

function topicMissing(topic: string): EngineError {
  return kafkaFailed(`there is no topic ${topic} to write to`, 'make it, or look at its name', {
    topic,
  })
}

function tooManyTopics(topic: string): EngineError {
  return kafkaFailed(
    `${topic} is not written to: this task writes to ${TOPICS_MAX} topics already`,
    'look at what encode makes a topic of',
    { topic },
  )
}

function noPartition(topic: string, partition: number, partitions: number): EngineError {
  return kafkaFailed(
    `there is no ${placeOf(topic, partition)}: the topic has ${partitions} partitions`,
    'look at the partition that encode returns',
    { topic, partition },
  )
}

function withResolve(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
