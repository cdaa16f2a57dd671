// Kafka → Python bolt → Kafka: ours against Storm's own KafkaSpout and KafkaBolt in its LocalCluster, with the same
// child on Storm's storm.py, the same settings and one broker. What counts is how fast the output grows between a
// tenth and nine tenths of it. The sides take turns. Needs the parts kafka, storm-kafka and multilang; the engine
// must be built.
// Run it: node --import=./bin/typescript.mjs bench/kafka/kafka-to-kafka.ts [RECORDS] [ROUNDS]
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaTopics } from '../../test/e2e/kafka-records.ts'
import { until } from '../../test/e2e/until.ts'
import { type Kafka, startKafka } from '../../test/real/kafka.ts'
import { type PartName, part, type RealPart } from '../../test/real/parts.ts'

const RECORDS = Number(process.argv[2] ?? 40_000)
const ROUNDS = Number(process.argv[3] ?? 2)
const PARTITIONS = 4
const BATCH = 2000
const HANGS_MS = 300_000

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/kafka-to-kafka')

type Side = 'gearpump' | 'storm'

function found(name: PartName): RealPart {
  const there = part(name)
  if ('missing' in there) throw new Error(there.missing)
  return there
}

async function main(): Promise<void> {
  const kafka = await startKafka({ dir: found('kafka').dir, version: '3.9.2' })
  const topics = await KafkaTopics.open(kafka)
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
  try {
    mkdirSync(join(dir, 'resources'))
    cpSync(join(EXAMPLE, 'resources/turn.py'), join(dir, 'resources/turn.py'))
    cpSync(join(found('multilang').dir, 'storm.py'), join(dir, 'resources/storm.py'))
    await topics.create({ lines: PARTITIONS })
    for (let from = 0; from < RECORDS / PARTITIONS; from += BATCH) {
      const count = Math.min(BATCH, RECORDS / PARTITIONS - from)
      for (let at = 0; at < PARTITIONS; at++) await topics.append('lines', at, { from, count })
    }
    const rates: Record<Side, number[]> = { gearpump: [], storm: [] }
    for (let round = 1; round <= ROUNDS; round++) {
      for (const side of ['gearpump', 'storm'] as const) {
        const rate = await measure(side, { kafka, topics, dir, round })
        rates[side].push(rate)
        console.log(`round ${round}: ${side} ${Math.round(rate)} records/s`)
      }
    }
    const [ours, storms] = [middle(rates.gearpump), middle(rates.storm)]
    console.log(
      `ratio ${(ours / storms).toFixed(1)} (${Math.round(ours)} to ${Math.round(storms)})`,
    )
  } finally {
    await topics.close()
    await kafka.stop()
    rmSync(dir, { recursive: true })
  }
}

interface Place {
  readonly kafka: Kafka
  readonly topics: KafkaTopics
  readonly dir: string
  readonly round: number
}

async function measure(side: Side, { kafka, topics, dir, round }: Place): Promise<number> {
  const to = `${side}-${round}`
  await topics.create({ [to]: 3 })
  const servers = kafka.brokers.join(',')
  const child =
    side === 'storm' ? startStorm({ servers, to, dir }) : startOurs({ servers, to, dir })
  try {
    const grown = (share: number) =>
      until(
        `${side} has written ${share} of all`,
        async () => (await topics.ends(to)).reduce((a, b) => a + b, 0) >= share * RECORDS,
        HANGS_MS,
      )
    await grown(0.1)
    const startMs = performance.now()
    await grown(0.9)
    return (0.8 * RECORDS * 1000) / (performance.now() - startMs)
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
  return spawn(process.execPath, gear, { stdio: ['ignore', 'ignore', 'inherit'] })
}

function startStorm({ servers, to, dir }: Run): ChildProcess {
  const { program, dir: jars } = found('storm-kafka')
  const classPath = `${join(jars, 'jars')}/*:${join(jars, 'classes')}:${dir}`
  const args = ['-Xmx1g', '-cp', classPath, 'KafkaCopy', servers, 'lines', to, to]
  return spawn(program!, args, { cwd: dir, stdio: ['pipe', 'ignore', 'ignore'] })
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]!
}

await main()
