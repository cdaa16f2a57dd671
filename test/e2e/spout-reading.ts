// A topology of one KafkaSpout in this process that keeps the values it reads.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { connect, noLog } from 'gearpump'
import {
  type Bolt,
  type KafkaSpoutOptions,
  kafkaSpout,
  type OutputCollector,
  TopologyBuilder,
  type Tuple,
  translate,
} from 'gearpump/storm'
import { testDir } from './flux-run.ts'

export interface SpoutReading {
  readonly got: string[]
  /** What its components have told, a line each. */
  errors(): Promise<string>
  stop(): Promise<void>
}

class Keep implements Bolt {
  readonly #got: string[]
  #collector!: OutputCollector

  constructor(got: string[]) {
    this.#got = got
  }

  prepare(_conf: unknown, _context: unknown, collector: OutputCollector): void {
    this.#collector = collector
  }

  execute(tuple: Tuple): void {
    this.#got.push(String(tuple.get('value')))
    this.#collector.ack(tuple)
  }

  declareOutputFields(): void {
    // It emits nothing.
  }
}

export async function readBySpout(
  t: ExecutionContext,
  options: KafkaSpoutOptions,
): Promise<SpoutReading> {
  const got: string[] = []
  const builder = new TopologyBuilder()
  builder.setSpout('records', kafkaSpout(options))
  builder.setBolt('keep', () => new Keep(got)).shuffleGrouping('records')
  const dir = testDir(t)
  mkdirSync(join(dir, 'pids'))
  const { application } = translate(builder.createTopology('reading', {}), {
    resources: dir,
    pidDir: join(dir, 'pids'),
    startedMs: Date.now(),
  })
  const gear = await connect({ log: noLog })
  t.teardown(() => gear.close())
  const app = await gear.submit(application)
  return {
    got,
    errors: async () => {
      const told = Object.values((await app.info()).errors).flatMap(({ last }) => last)
      return told.map(({ code, message }) => `${code}: ${message}`).join('\n')
    },
    stop: () => gear.close(),
  }
}
