// One topic of a thousand partitions on one broker, read by one task while it is written: memory of the reader with nothing to
// read, and whether it grows while gigabytes pass.
import { type KafkaClient, openKafka } from 'gearpump/kafka'
import { KafkaTopics } from '../../e2e/kafka-records.ts'
import { until } from '../../e2e/until.ts'
import { type Kafka, startKafka } from '../../real/kafka.ts'
import { part } from '../../real/parts.ts'
import {
  type KafkaReadingInput,
  kafkaSourceReading,
  kafkaSpoutReading,
} from '../apps/kafka-reading.ts'
import { Findings } from '../findings.ts'
import { pause } from '../flow.ts'
import { type LoadRun, longestStallMs, receivedBy, type Sample, underLoad } from '../load-run.ts'
import { family } from '../machine.ts'

export interface PartitionsSize {
  readonly by: 'source' | 'spout'
  readonly partitions: number
  readonly bytes: number
  /** Time with nothing to read, before and after. */
  readonly idleMs: number
}

const TOPIC = 'many'
const RECORD_BYTES = 1000
/** Records of one batch. */
const BATCH = 64
/** Partitions that are written at a time. */
const WRITERS = 8
/** The writers wait when so many records are not read yet: the reader is always busy, and the disk's cache is warm. */
const AHEAD_MAX = 200_000
/** Peak of the second half of the flow above that of the second quarter: what a heap swings by. */
const GROWTH_MB_MAX = 50
const STALL_MS_MAX = 30_000

export async function manyPartitions(size: PartitionsSize): Promise<Findings> {
  const found = part('kafka')
  if ('missing' in found) throw new Error(found.missing)
  const findings = new Findings()
  const kafka = await startKafka({ dir: found.dir })
  const topics = await KafkaTopics.open(kafka)
  try {
    await topics.create({ [TOPIC]: size.partitions })
    // The first question for any group has a young broker make the topic of the offsets.
    await until('the group has a coordinator', () =>
      topics.committed(size.by, TOPIC).then(
        () => true,
        () => undefined,
      ),
    )
    const make = size.by === 'source' ? kafkaSourceReading : kafkaSpoutReading
    const input = (dir: string): KafkaReadingInput => ({
      dir,
      brokers: kafka.brokers,
      topic: TOPIC,
    })
    await underLoad(
      dir => make(input(dir)),
      { executors: 2 },
      run => watch(run, kafka, size, findings),
    )
  } finally {
    await topics.close()
    await kafka.stop()
  }
  return findings
}

async function watch(
  run: LoadRun,
  kafka: Kafka,
  size: PartitionsSize,
  findings: Findings,
): Promise<void> {
  const records = Math.ceil(size.bytes / RECORD_BYTES)
  const pids = (await run.app.info()).executors.map(({ pid }) => pid)
  const readMb = () =>
    Math.max(...family().map(({ pid, rssMb }) => (pids.includes(pid) ? rssMb : 0)))
  const before = await idle(size.idleMs, pids)
  findings.note('idle_core_percent', before.corePercent)
  findings.note('idle_mb', readMb())
  const client = await openKafka({ brokers: kafka.brokers })
  const samples: (Sample & { readerMb: number })[] = []
  const startMs = performance.now()
  const read = () => samples.at(-1)?.figures.acked ?? 0
  const writing = write(client, { ...size, records }, read)
  try {
    do {
      await Promise.race([pause(500), run.app.failure])
      samples.push({ ...(await run.sample()), readerMb: readMb() })
      if (performance.now() - startMs > 40 * 60_000) throw new Error(`${read()} of ${records} read`)
    } while (read() < records)
    await writing
  } finally {
    await client.close()
  }
  const seconds = (performance.now() - startMs) / 1000
  findings.note('records', records)
  findings.note('mb_per_s', size.bytes / 1e6 / seconds)
  const peak = (from: number, to: number) => {
    const part = samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to))
    return Math.max(...part.map(({ readerMb }) => readerMb))
  }
  findings.note('peak_mb', peak(0, 1))
  findings.atMost('growth_mb', peak(0.5, 1) - peak(0.25, 0.5), GROWTH_MB_MAX)
  findings.atMost('stall_ms', longestStallMs(samples, receivedBy('end')), STALL_MS_MAX)
  await idle(size.idleMs, pids)
  findings.note('idle_mb_after', readMb())
  const { figures } = await run.sample()
  findings.expect(figures.failed === 0, `${figures.failed} records failed`)
  findings.expect(
    figures.acked === records,
    `${figures.acked} records came, ${records} were written`,
  )
}

async function idle(
  forMs: number,
  pids: readonly (number | undefined)[],
): Promise<{ corePercent: number }> {
  const cpuMs = () =>
    family().reduce((sum, one) => sum + (pids.includes(one.pid) ? one.cpuMs : 0), 0)
  const from = cpuMs()
  await pause(forMs)
  return { corePercent: ((cpuMs() - from) / forMs) * 100 }
}

async function write(
  client: KafkaClient,
  { partitions, records }: { partitions: number; records: number },
  read: () => number,
): Promise<void> {
  const value = Buffer.alloc(RECORD_BYTES, 'x')
  let written = 0
  let next = 0
  const writer = async () => {
    while (written < records) {
      if (written - read() > AHEAD_MAX) {
        await pause(20)
        continue
      }
      const count = Math.min(BATCH, records - written)
      written += count
      const batch = Array.from({ length: count }, () => ({ value }))
      const partition = next++ % partitions
      await client.produce({ topic: TOPIC, partition, records: batch })
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
}
