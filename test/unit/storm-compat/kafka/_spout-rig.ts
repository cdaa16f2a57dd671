// A Kafka spout on a Kafka in memory, turned by hand: what it emitted, and acks and fails for it.
import type { TopologyContext, Values } from '../../../../storm-compat/component/api.ts'
import { KafkaSpout } from '../../../../storm-compat/kafka/kafka-spout.ts'
import type { KafkaSpoutOptions } from '../../../../storm-compat/kafka/spout-options.ts'
import { ManualClock } from '../../../../storm-compat/multilang/fake-child.ts'
import type { MemoryKafka } from './_memory-kafka.ts'

export interface Emitted {
  readonly values: Values
  readonly id: unknown
  readonly stream: string
}

export const GROUP = 'readers'

export class SpoutRig {
  readonly clock = new ManualClock()
  readonly emitted: Emitted[] = []
  readonly errors: string[] = []
  readonly lines: string[] = []
  readonly spout: KafkaSpout
  readonly #place: { index: number; count: number; stormId: string }

  constructor(
    kafka: MemoryKafka,
    options: Partial<KafkaSpoutOptions> = {},
    place: { index?: number; count?: number; stormId?: string } = {},
  ) {
    this.#place = { index: 0, count: 1, stormId: 'wc-1-1700000000', ...place }
    this.spout = new KafkaSpout(
      { bootstrapServers: 'memory:9092', topics: ['words'], groupId: GROUP, ...options },
      { openClient: async () => kafka.client(), clock: this.clock },
    )
  }

  async start(conf: Record<string, unknown> = {}): Promise<this> {
    const { index, count, stormId } = this.#place
    const context = {
      stormId,
      taskId: index + 1,
      taskIndex: index,
      componentId: 'lines',
      componentTasks: () => Array.from({ length: count }, (_, at) => at + 1),
      log: { write: (_level: string, text: string) => this.lines.push(text) },
    } as unknown as TopologyContext
    await this.spout.open(conf, context, {
      emit: (values, id, stream = 'default') => {
        this.emitted.push({ values, id, stream })
        return []
      },
      emitDirect: () => undefined,
      reportError: error => this.errors.push(error.message),
      orphanAll: () => undefined,
      exhausted: () => undefined,
    })
    this.spout.activate()
    await settled()
    return this
  }

  /** Lets the background work, and asks for tuples until none comes; returns the values of the last field. */
  async take(): Promise<unknown[]> {
    const from = this.emitted.length
    for (let idle = 0; idle < 3; ) {
      const before = this.emitted.length
      this.spout.nextTuple()
      if (this.emitted.length > before) continue
      idle++
      await settled()
    }
    return this.emitted.slice(from).map(({ values }) => values.at(-1))
  }

  /** The newest emit with this last value. */
  id(value: unknown): unknown {
    return this.emitted.findLast(({ values }) => values.at(-1) === value)?.id
  }

  ack(...values: unknown[]): void {
    for (const value of values) this.spout.ack(this.id(value))
  }

  fail(...values: unknown[]): void {
    for (const value of values) this.spout.fail(this.id(value))
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await settled()
  }
}

/** All promises that can settle without time have. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
}
