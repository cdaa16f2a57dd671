// From Kafka to Kafka while executors, or all processes at once, are killed: nothing is missing, and at no moment is an offset committed
// whose record is not at its destination.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { connect, noLog } from 'gearpump'
import type { KafkaClient } from 'gearpump/kafka'
import { readMetadata } from '../../connectors/kafka/offset-ledger.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { kafkaCopy } from './apps/kafka-copy.ts'
import { clientOf, countTexts, fill, makeTopic, readPartition } from './kafka-topics.ts'
import { until } from './until.ts'

const PARTITIONS = 6
const RECORDS = 30_000
const EXECUTOR_KILLS = 4
/** How often all is killed; `KAFKA_KILLS=50` for a long run. */
const ROUNDS = Number(process.env.KAFKA_KILLS ?? 5)
const SEED = Number(process.env.KAFKA_SEED ?? Date.now() % 100_000)

const textsOf = (count: number) => Array.from({ length: count }, (_, i) => `text ${i}`)

realTest(
  test.serial,
  ['kafka'],
  'executors of a copy from Kafka to Kafka are killed: no record is missing',
  async (t, [part]) => {
    t.timeout(170_000)
    const kafka = await startKafka({ dir: part.dir })
    t.teardown(() => kafka.stop())
    const { brokers } = kafka
    const client = await clientOf(brokers)
    t.teardown(() => client.close())
    await makeTopic(brokers, 'from', PARTITIONS)
    await makeTopic(brokers, 'to', PARTITIONS)
    await fill(client, 'from', PARTITIONS, textsOf(RECORDS))
    const random = seededRandom(SEED)
    t.log(`seed ${SEED}`)
    const gear = await connect({ log: noLog })
    t.teardown(() => gear.close())
    const input = { brokers, from: 'from', to: 'to', groupId: 'copy', openMax: 500 }
    const app = await gear.submit(kafkaCopy(input), { executors: 3 })
    for (let kill = 0; kill < EXECUTOR_KILLS; kill++) {
      const at = ((kill + 1) * RECORDS) / (EXECUTOR_KILLS + 2)
      const victim = await until(`kill ${kill}`, async () => {
        const { figures, executors } = await app.info()
        const running = executors.filter(one => one.pid !== undefined)
        return figures.acked >= at && running[Math.floor(random() * running.length)]
      })
      process.kill(victim.pid!, 'SIGKILL')
      await until('it was replaced', async () =>
        (await app.info()).executors.every(one => one.id !== victim.id && one.pid !== undefined),
      )
    }
    await until('all was committed', () => allCommitted(client), 90_000)
    const counts = await countTexts(client, 'to')
    t.is(counts.size, RECORDS)
    const doubled = [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
    t.log(`${doubled} of ${RECORDS} records came again`)
    t.true(doubled < RECORDS / 2, 'a source began from the beginning')
    await app.kill()
  },
)

async function allCommitted(client: KafkaClient): Promise<boolean> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic: 'from',
    partition,
  }))
  const ends = await client.offsets('latest', partitions)
  const committed = await client.committed('copy', partitions)
  return ends.every(end =>
    committed.some(one => one.partition === end.partition && one.offset === end.offset),
  )
}

realTest(
  test.serial,
  ['kafka'],
  'everything is killed again and again: what is committed was at its destination, and nothing is missing',
  async (t, [part]) => {
    t.timeout(170_000 + ROUNDS * 20_000)
    const kafka = await startKafka({ dir: part.dir })
    t.teardown(() => kafka.stop())
    const { brokers } = kafka
    const client = await clientOf(brokers)
    t.teardown(() => client.close())
    await makeTopic(brokers, 'from', PARTITIONS)
    await makeTopic(brokers, 'to', PARTITIONS)
    await fill(client, 'from', PARTITIONS, textsOf(RECORDS))
    const random = seededRandom(SEED)
    t.log(`seed ${SEED}`)
    const input = { brokers, from: 'from', to: 'to', groupId: 'copy', openMax: 300 }
    for (let round = 0; round < ROUNDS; round++) {
      const run = runAlone(input)
      const before = await total(client)
      const share = RECORDS / (ROUNDS + 1)
      await until('it got on', async () => (await total(client)) > before + random() * share)
      run.kill()
      await run.ended
      await completedFirst(t, client)
    }
    const last = runAlone(input)
    await until('all was committed', () => allCommitted(client), 90_000)
    last.kill()
    await last.ended
    const counts = await countTexts(client, 'to')
    t.is(counts.size, RECORDS)
    const doubled = [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
    t.log(`${doubled} of ${RECORDS} records came again in ${ROUNDS} rounds`)
    t.true(doubled < RECORDS)
  },
)

function runAlone(input: object) {
  const file = fileURLToPath(new URL('apps/kafka-copy.ts', import.meta.url))
  const args = ['--import=./test/register.mjs', file, JSON.stringify(input)]
  // A group of its own: the executors are killed with it, at the same moment.
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  return { ended, kill: () => process.kill(-child.pid!, 'SIGKILL') }
}

async function total(client: KafkaClient): Promise<number> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic: 'to',
    partition,
  }))
  const ends = await client.offsets('latest', partitions)
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}

// Below each committed offset, and in the runs beside it, everything is at its destination.
async function completedFirst(
  t: { true(value: boolean, message: string): void },
  client: KafkaClient,
): Promise<void> {
  const there = await countTexts(client, 'to')
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const at = { topic: 'from', partition }
    const [commit] = await client.committed('copy', [at])
    if (commit === undefined) continue
    const runs = readMetadata(commit.offset, commit.metadata)?.runs ?? []
    for (const [offset, text] of await readPartition(client, at)) {
      const done = offset < commit.offset || runs.some(([s, e]) => s <= offset && offset < e)
      if (done && !there.has(text)) t.true(false, `${text} was committed and is not there`)
    }
  }
}
