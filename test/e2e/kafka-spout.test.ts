// Kafka → Python bolt → Kafka, in a Flux file with Storm's class names, on real brokers: children, executors and at
// last everything are killed, again and again. Nothing is missing, and no committed offset is ahead of what was
// written.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { KAFKA_VERSIONS, startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { testDir } from './flux-run.ts'
import { KafkaTopics } from './kafka-records.ts'
import { until } from './until.ts'

const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))
const EXAMPLE = fileURLToPath(
  new URL('../../examples/kafka-to-kafka/topology.yaml', import.meta.url),
)

const PARTITIONS = 4
const GROUP = 'turners'
/** Runs that end with kill -9 of everything; each with as many kills of single processes before. */
const ROUNDS = Number(process.env.GEARPUMP_KILLS ?? 3)
const KILLS = 2
const PER_ROUND = 600

for (const version of KAFKA_VERSIONS) {
  realTest(
    test.serial,
    ['kafka'],
    `a broker ${version}: killed at random, nothing is missing`,
    async (t, [part]) => {
      t.timeout(170_000)
      const kafka = await startKafka({ dir: part.dir, version })
      t.teardown(() => kafka.stop())
      const topics = await KafkaTopics.open(kafka)
      t.teardown(() => topics.close())
      await topics.create({ lines: PARTITIONS, turned: 3 })
      const dir = testDir(t)
      writeFileSync(
        join(dir, 'properties'),
        `kafka.servers=${kafka.brokers.join(',')}\nkafka.from=lines\nkafka.to=turned\nkafka.group=${GROUP}\n`,
      )
      const random = seeded(Number(version.replaceAll('.', '')))
      let appended = 0
      for (let round = 1; round <= ROUNDS; round++) {
        const run = startGear(t, dir)
        for (let kill = 0; kill <= KILLS; kill++) {
          const before = await size(topics)
          for (let partition = 0; partition < PARTITIONS; partition++) {
            await topics.append('lines', partition, {
              from: appended,
              count: PER_ROUND / (KILLS + 1),
            })
          }
          appended += PER_ROUND / (KILLS + 1)
          await until(
            'it goes on',
            async () => (await size(topics)) > before + random() * 300,
            40_000,
          )
          if (kill === KILLS) break
          const below = descendants(run.pid!)
          process.kill(below[Math.floor(random() * below.length)]!, 'SIGKILL')
        }
        for (const pid of [run.pid!, ...descendants(run.pid!)]) killHard(pid)
        await commitsAreDone(t, topics)
      }
      const last = startGear(t, dir)
      const keys = Array.from(
        { length: PARTITIONS * appended },
        (_, at) => `k${at % PARTITIONS}-${Math.floor(at / PARTITIONS)}`,
      )
      await until('all is there', async () => (await keysOf(topics)).size === keys.length, 60_000)
      await until('all is committed', async () =>
        (await topics.committed(GROUP, 'lines')).every(({ offset }) => offset === appended),
      )
      const seen = await keysOf(topics)
      t.deepEqual(
        keys.filter(key => !seen.has(key)),
        [],
      )
      const ended = new Promise(resolve => last.once('exit', resolve))
      last.kill('SIGINT')
      await ended
      for (const { value, key } of await topics.read('turned')) {
        t.is(value!.toString(), [...key!.toString().replace('k', 'v')].reverse().join(''))
      }
    },
  )
}

function startGear(t: ExecutionContext, dir: string): ChildProcess {
  const args = [
    'run',
    EXAMPLE,
    '--executors',
    '3',
    '--filter',
    join(dir, 'properties'),
    '--log-dir',
    dir,
  ]
  const child = spawn(process.execPath, [GEAR, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
  })
  t.teardown(() => {
    if (!t.passed) t.log(said)
    for (const pid of [child.pid!, ...descendants(child.pid!)]) killHard(pid)
  })
  return child
}

/** What is below a committed offset was written. */
async function commitsAreDone(t: ExecutionContext, topics: KafkaTopics): Promise<void> {
  const committed = await topics.committed(GROUP, 'lines')
  const seen = await keysOf(topics)
  for (const [partition, { offset }] of committed.entries()) {
    const missing = Array.from({ length: Math.max(0, offset) }, (_, at) => `k${partition}-${at}`)
    t.deepEqual(
      missing.filter(key => !seen.has(key)),
      [],
      `partition ${partition} is ahead`,
    )
  }
}

async function keysOf(topics: KafkaTopics): Promise<Set<string>> {
  return new Set((await topics.read('turned')).map(({ key }) => key!.toString()))
}

async function size(topics: KafkaTopics): Promise<number> {
  return (await topics.ends('turned')).reduce((a, b) => a + b, 0)
}

/** All processes below this one. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(name)
    if (parent !== undefined) parents.set(Number(name), parent)
  }
  const below = new Set([pid])
  for (let found = true; found; ) {
    found = false
    for (const [child, parent] of parents) {
      if (below.has(child) || !below.has(parent)) continue
      below.add(child)
      found = true
    }
  }
  below.delete(pid)
  return [...below]
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    // It has just ended.
    return undefined
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
