// Kafka → Python bolt → Kafka: ours against Storm's own KafkaSpout and KafkaBolt in its LocalCluster, with the same
// child on Storm's storm.py, the same settings and one broker. What counts is how fast the output grows between a
// tenth and nine tenths of it, and what a record costs meanwhile: engine, children and broker together. The sides take
// turns.
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaTopics } from '../../test/e2e/kafka-records.ts'
import { until } from '../../test/e2e/until.ts'
import type { Kafka } from '../../test/real/kafka.ts'
import type { RealPart } from '../../test/real/parts.ts'
import { cost, usage } from '../harness/machine.ts'

const PARTITIONS = 4
const BATCH = 2000
const HANGS_MS = 300_000
/** Of both sides' children: with it set, stock storm.py makes four writes of each message. */
const ENVIRONMENT = { ...process.env, PYTHONUNBUFFERED: '' }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/kafka-to-kafka')

export interface KafkaToKafkaOptions {
  readonly kafka: Kafka
  /** Folders of these parts. */
  readonly parts: { readonly multilang: RealPart; readonly storm: RealPart }
  readonly records: number
  readonly rounds: number
}

export interface KafkaToKafkaFigures {
  /** Records per second. */
  readonly perS: number
  /** Microseconds of processor time per record. */
  readonly cpuUs: number
}

/** Of each round. */
export type KafkaToKafkaRounds = Record<Side, readonly KafkaToKafkaFigures[]>

type Side = 'gearpump' | 'storm'

export async function kafkaToKafka(options: KafkaToKafkaOptions): Promise<KafkaToKafkaRounds> {
  const { kafka, parts, records, rounds } = options
  const topics = await KafkaTopics.open(kafka)
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
  try {
    mkdirSync(join(dir, 'resources'))
    cpSync(join(EXAMPLE, 'resources/turn.py'), join(dir, 'resources/turn.py'))
    cpSync(join(parts.multilang.dir, 'storm.py'), join(dir, 'resources/storm.py'))
    await topics.create({ lines: PARTITIONS })
    for (let from = 0; from < records / PARTITIONS; from += BATCH) {
      const count = Math.min(BATCH, records / PARTITIONS - from)
      for (let at = 0; at < PARTITIONS; at++) await topics.append('lines', at, { from, count })
    }
    const found: Record<Side, KafkaToKafkaFigures[]> = { gearpump: [], storm: [] }
    for (let round = 1; round <= rounds; round++) {
      for (const side of ['gearpump', 'storm'] as const)
        found[side].push(await measure(side, { ...options, topics, dir, round }))
    }
    return found
  } finally {
    await topics.close()
    rmSync(dir, { recursive: true })
  }
}

interface Place extends KafkaToKafkaOptions {
  readonly topics: KafkaTopics
  readonly dir: string
  readonly round: number
}

async function measure(side: Side, place: Place): Promise<KafkaToKafkaFigures> {
  const { kafka, parts, records, topics, dir, round } = place
  const to = `${side}-${round}`
  await topics.create({ [to]: 3 })
  const servers = kafka.brokers.join(',')
  const child =
    side === 'storm'
      ? startStorm({ servers, to, dir }, parts.storm)
      : startOurs({ servers, to, dir })
  try {
    const grown = (share: number) =>
      until(
        `${side} has written ${share} of all`,
        async () => (await topics.ends(to)).reduce((a, b) => a + b, 0) >= share * records,
        HANGS_MS,
      )
    await grown(0.1)
    const from = usage()
    await grown(0.9)
    const end = usage()
    const seconds = (end.atMs - from.atMs) / 1000
    const counted = 0.8 * records
    return {
      perS: counted / seconds,
      cpuUs: (cost(from, end).cpu_cores * seconds * 1e6) / counted,
    }
  } finally {
    const ended = new Promise(resolve => child.once('exit', resolve))
    if (side === 'storm') child.stdin!.end()
    else child.kill('SIGINT')
    await ended
  }
}

interface Run {
  readonly servers: string
  readonly to: string
  readonly dir: string
}

function startOurs({ servers, to, dir }: Run): ChildProcess {
  const properties = join(dir, `${to}.properties`)
  const lines = { servers, from: 'lines', to, group: to }
  const text = Object.entries(lines).map(([key, value]) => `kafka.${key}=${value}\n`)
  writeFileSync(properties, text.join(''))
  const args = ['--filter', properties, '--resources', join(dir, 'resources')]
  const gear = [join(ROOT, 'bin/gear'), 'run', join(EXAMPLE, 'topology.yaml'), ...args]
  return spawn(process.execPath, gear, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: ENVIRONMENT,
  })
}

function startStorm({ servers, to, dir }: Run, { program, dir: jars }: RealPart): ChildProcess {
  const classPath = `${join(jars, 'jars')}/*:${join(jars, 'classes')}:${dir}`
  const args = ['-Xmx1g', '-cp', classPath, 'KafkaCopy', servers, 'lines', to, to]
  return spawn(program!, args, {
    cwd: dir,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: ENVIRONMENT,
  })
}
