// Kafka to Kafka on a real broker of its own, with what was brought by `test/real/bring.sh kafka storm-kafka multilang`: through a
// map in the engine beside the bare client, and through a Python bolt beside Storm's own topology.
import { startKafka } from '../../test/real/kafka.ts'
import { part } from '../../test/real/parts.ts'
import { type Case, skipped } from '../harness/case.ts'
import { cost, rounded, usage } from '../harness/machine.ts'
import type { Row } from '../harness/measure.ts'
import { kafkaMap } from '../kafka/kafka-map.ts'
import { kafkaToKafka } from '../kafka/kafka-to-kafka.ts'

const MESSAGES = 400_000
const RECORDS = 40_000
const ROUNDS = 3
const PEER_ROUNDS = 2

async function map(name: string, driver: 'kafkajs' | 'platformatic'): Promise<readonly Row[]> {
  const there = part('kafka')
  if ('missing' in there) return skipped(name, there.missing)
  const kafka = await startKafka({ dir: there.dir })
  try {
    const from = usage()
    const { brokers } = kafka
    const figures = await kafkaMap({ brokers, driver, messages: MESSAGES, rounds: ROUNDS })
    const { engine, bare, library } = figures
    const { foreign_cpu_cores, rss_mb, noisy } = cost(from, usage())
    return [
      {
        case: name,
        msgs_per_sec: Math.round(engine.perS),
        bare_msgs_per_sec: Math.round(bare.perS),
        kafkajs_msgs_per_sec: Math.round(library.perS),
        ceiling_part: rounded(engine.perS / bare.perS),
        cpu_us_per_message: rounded(engine.cpuUs),
        bare_cpu_us_per_message: rounded(bare.cpuUs),
        rss_mb,
        foreign_cpu_cores,
        noisy,
      },
    ]
  } finally {
    await kafka.stop()
  }
}

async function python(name: string): Promise<readonly Row[]> {
  const [broker, multilang, storm] = [part('kafka'), part('multilang'), part('storm-kafka')]
  if ('missing' in broker) return skipped(name, broker.missing)
  if ('missing' in multilang) return skipped(name, multilang.missing)
  if ('missing' in storm) return skipped(name, storm.missing)
  const kafka = await startKafka({ dir: broker.dir, version: '3.9.2' })
  try {
    const from = usage()
    const parts = { multilang, storm }
    const found = await kafkaToKafka({ kafka, parts, records: RECORDS, rounds: PEER_ROUNDS })
    const { gearpump, storm: peer } = found
    const ratios = gearpump.map(({ perS }, round) => perS / peer[round]!.perS)
    const { foreign_cpu_cores, noisy } = cost(from, usage())
    return [
      {
        case: name,
        msgs_per_sec: Math.round(Math.max(...gearpump.map(({ perS }) => perS))),
        storm_msgs_per_sec: Math.round(Math.max(...peer.map(({ perS }) => perS))),
        ratio_min: rounded(Math.min(...ratios)),
        ratio_max: rounded(Math.max(...ratios)),
        cpu_us_per_message: Math.round(Math.min(...gearpump.map(({ cpuUs }) => cpuUs))),
        storm_cpu_us_per_message: Math.round(Math.min(...peer.map(({ cpuUs }) => cpuUs))),
        foreign_cpu_cores,
        noisy,
      },
    ]
  } finally {
    await kafka.stop()
  }
}

export const kafkaCases: readonly Case[] = [
  {
    name: 'kafka-map',
    about: 'Kafka → map → Kafka, as a part of what the bare client does alone',
    run: () => map('kafka-map', 'kafkajs'),
  },
  {
    name: 'kafka-map-platformatic',
    about: 'the same over @platformatic/kafka',
    run: () => map('kafka-map-platformatic', 'platformatic'),
  },
  {
    name: 'kafka-python',
    about: 'Kafka → Python bolt → Kafka by KafkaSpout and KafkaBolt, and by Storm’s',
    run: () => python('kafka-python'),
  },
]
