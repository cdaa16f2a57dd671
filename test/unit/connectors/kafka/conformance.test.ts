// The conformance kit on the Kafka source and sink, over a cluster in memory.
import test from 'ava'
import { type KafkaRecord, kafkaSink, kafkaSource } from 'gearpump/kafka'
import type { Source, Task } from 'gearpump/spi'
import { type SinkWorld, type SourceWorld, sinkFindings, sourceFindings } from 'gearpump/testing'
import { unreachable } from '../../../../connectors/kafka/kafka-errors.ts'
import { MemoryKafka } from './_memory-kafka.ts'

const OPEN_MAX = 20

class SourceInKafka implements SourceWorld {
  readonly kafka = new MemoryKafka()
  readonly #partitions: number

  constructor(partitions: number) {
    this.#partitions = partitions
    this.kafka.create('in', partitions)
  }

  create(): Source<unknown> {
    return kafkaSource(
      { brokers: ['memory:1'], topics: ['in'], groupId: 'g', openMax: OPEN_MAX, decode: textOf },
      { openClient: this.kafka.open },
    )()
  }

  populate(count: number): string[] {
    const texts = Array.from({ length: count }, (_, i) => `text ${i}`)
    for (const [i, text] of texts.entries())
      this.kafka.append('in', i % this.#partitions, text, i % 5 === 0 ? 2 : 0)
    return texts
  }

  handles(): number {
    return this.kafka.clients
  }

  // Nothing of memory takes real time, but promises need their turns, and fetches an end.
  async settle(): Promise<void> {
    this.kafka.tick()
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}

const textOf = (record: KafkaRecord) => String(record.value)

test('the Kafka source keeps what the kit asks, reading one partition with holes', async t => {
  t.deepEqual(
    await sourceFindings({
      world: () => new SourceInKafka(1),
      openMax: OPEN_MAX,
      replays: 'exact',
      ends: false,
      misconfigured: [
        () => kafkaSource({} as never),
        () => kafkaSource({ brokers: ['x'], topics: ['a'], groupId: 'g' }),
        () => kafkaSource({ brokers: ['x:1'], topics: ['a'], pattern: /a/, groupId: 'g' }),
        () =>
          kafkaSource({ brokers: ['x:1'], topics: ['a'], groupId: 'g', form: 'latest' } as never),
      ],
    }),
    [],
  )
})

class SinkInKafka implements SinkWorld {
  readonly kafka = new MemoryKafka()

  constructor() {
    this.kafka.create('out', 1)
  }

  create(): Task<never, never> {
    return kafkaSink(
      { brokers: ['memory:1'], topic: 'out', batchBytes: 200 },
      { openClient: this.kafka.open },
    )() as Task<never, never>
  }

  readBack(): string[] {
    return this.kafka.values('out')
  }

  crash(): void {
    this.kafka.writesLeft = Number.POSITIVE_INFINITY
  }

  dieAfter(steps: number): void {
    this.kafka.writesLeft = steps
  }

  setFull(full: boolean): void {
    this.kafka.refusing = full ? unreachable('memory:1', new Error('not now')) : undefined
  }

  handles(): number {
    return this.kafka.clients
  }

  async settle(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}

test('the Kafka sink keeps what the kit asks', async t => {
  t.deepEqual(
    await sinkFindings({
      world: () => new SinkInKafka(),
      misconfigured: [
        () => kafkaSink({ brokers: ['x:1'] }),
        () => kafkaSink({ brokers: ['x:1'], topic: 'a', acks: 1, idempotent: true }),
      ],
    }),
    [],
  )
})
