// Storm's own Java beside ours, on a real broker: a group that Storm's KafkaSpout has written is continued to the
// record by ours and handed back, and a topology of Storm's Kafka components that StormSubmitter submits runs without
// Java.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connect, noLog } from 'gearpump'
import {
  type Bolt,
  kafkaSpout,
  type OutputCollector,
  TopologyBuilder,
  type Tuple,
  translate,
} from 'gearpump/storm'
import { shellOrClass } from '../../dist/storm-compat/jvm/shell-classes.js'
import { startKafka } from '../real/kafka.ts'
import { type RealPart, realTest } from '../real/parts.ts'
import { testDir } from './flux-run.ts'
import { KafkaTopics } from './kafka-records.ts'
import { runNimbus } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

const TOPIC = 'records'
const GROUP = 'handed-over'
const COUNT = 300
/** Started by LocalCluster, beside everything else that the machine does. */
const STORM_READY_MS = 90_000

function classPath(storm: RealPart): string {
  return `${join(storm.dir, 'jars')}/*:${join(storm.dir, 'classes')}`
}

/** What one reader saw, as `partition offset`. */
class Seen {
  readonly lines: string[] = []

  /** Offsets of a partition, in order. */
  offsets(partition: number): number[] {
    const own = this.lines.filter(line => line.startsWith(`${partition} `))
    return own.map(line => Number(line.split(' ')[1])).sort((a, b) => a - b)
  }
}

/** Storm's spout; everything is acked but `held`. */
function startStorm(
  t: ExecutionContext,
  storm: RealPart,
  options: { servers: string; file: string; strategy: string; held: readonly string[] },
): { child: ChildProcess; seen(): Seen } {
  const { servers, file, strategy, held } = options
  const java = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', classPath(storm), 'KafkaReader']
  const args = [...java, servers, TOPIC, GROUP, strategy, file, ...held]
  const child = spawn(storm.program!, args, { stdio: ['pipe', 'ignore', 'pipe'], cwd: testDir(t) })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-3000)
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    if (!t.passed) t.log(said)
  })
  const seen = () => {
    const found = new Seen()
    if (existsSync(file)) found.lines.push(...readFileSync(file, 'utf8').split('\n').slice(0, -1))
    return found
  }
  return { child, seen }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

class Note implements Bolt {
  readonly #seen: Seen
  readonly #held: readonly string[]
  #collector!: OutputCollector

  constructor(seen: Seen, held: readonly string[]) {
    this.#seen = seen
    this.#held = held
  }

  prepare(_conf: unknown, _context: unknown, collector: OutputCollector): void {
    this.#collector = collector
  }

  execute(tuple: Tuple): void {
    const [partition, offset] = [tuple.get('partition'), tuple.get('offset')]
    this.#seen.lines.push(`${partition} ${offset}`)
    if (!this.#held.includes(`${partition}:${offset}`)) this.#collector.ack(tuple)
  }

  declareOutputFields(): void {
    // It emits nothing.
  }
}

/** Our spout, until the group has these offsets. */
async function readOurs(
  t: ExecutionContext,
  servers: string,
  held: readonly string[],
  isDone: (seen: Seen) => Promise<boolean>,
): Promise<Seen> {
  const seen = new Seen()
  const builder = new TopologyBuilder()
  const spout = kafkaSpout({
    bootstrapServers: servers,
    topics: TOPIC,
    groupId: GROUP,
    offsetCommitPeriodMs: 300,
  })
  builder.setSpout('records', spout)
  builder.setBolt('write', () => new Note(seen, held)).shuffleGrouping('records')
  const topology = builder.createTopology('reader', { 'topology.message.timeout.secs': 600 })
  const dir = testDir(t)
  mkdirSync(join(dir, 'pids'))
  const { application } = translate(topology, {
    resources: dir,
    pidDir: join(dir, 'pids'),
    startedMs: Date.now(),
  })
  const gear = await connect({ log: noLog })
  const app = await gear.submit(application)
  await until('ours has read', () => isDone(seen))
  await app.kill()
  await gear.close()
  return seen
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}

realTest(
  test.serial,
  ['kafka', 'storm-kafka'],
  "a group goes from Storm's spout to ours and back, to the record",
  async (t, [part, storm]) => {
    t.timeout(360_000)
    const kafka = await startKafka({ dir: part.dir, version: '3.9.2' })
    t.teardown(() => kafka.stop())
    const topics = await KafkaTopics.open(kafka)
    t.teardown(() => topics.close())
    await topics.create({ [TOPIC]: 2 })
    const fill = async (from: number) => {
      for (const partition of [0, 1]) await topics.append(TOPIC, partition, { from, count: COUNT })
    }
    const offsets = async () => (await topics.committed(GROUP, TOPIC)).map(({ offset }) => offset)
    const have = async (...wanted: number[]) => String(await offsets()) === String(wanted)
    const servers = kafka.brokers.join(',')
    const dir = testDir(t)

    await fill(0)
    const first = startStorm(t, storm, {
      servers,
      file: join(dir, 'first'),
      strategy: 'UNCOMMITTED_EARLIEST',
      held: ['0:120'],
    })
    await until('Storm has read', () => first.seen().lines.length === 2 * COUNT, STORM_READY_MS)
    await until('Storm has committed', () => have(120, COUNT))
    await end(first.child)
    const [written] = await topics.committed(GROUP, TOPIC)
    t.regex(
      written!.metadata,
      /^\{"topologyId":"reader-1-\d+","taskId":\d+,"threadName":"[^"]+"\}$/,
    )

    await fill(COUNT)
    const ours = await readOurs(t, servers, ['1:470'], () => have(2 * COUNT, 470))
    t.deepEqual(ours.offsets(0), range(120, 2 * COUNT))
    t.deepEqual(ours.offsets(1), range(COUNT, 2 * COUNT))
    const [, handed] = await topics.committed(GROUP, TOPIC)
    t.regex(handed!.metadata, /^\{"topologyId":"reader-1-\d+","taskId":\d+,"threadName":"[^"]+"\}$/)

    const last = startStorm(t, storm, {
      servers,
      file: join(dir, 'last'),
      strategy: 'UNCOMMITTED_EARLIEST',
      held: [],
    })
    await until('Storm has committed all', () => have(2 * COUNT, 2 * COUNT), STORM_READY_MS)
    t.deepEqual(last.seen().offsets(0), [])
    t.deepEqual(last.seen().offsets(1), range(470, 2 * COUNT))
    await end(last.child)
  },
)

realTest(
  test.serial,
  ['kafka', 'storm-kafka'],
  "a topology of Storm's KafkaSpout and KafkaBolt that StormSubmitter submits runs without Java",
  async (t, [part, storm]) => {
    t.timeout(170_000)
    const kafka = await startKafka({ dir: part.dir, version: '4.4.0' })
    t.teardown(() => kafka.stop())
    const topics = await KafkaTopics.open(kafka)
    t.teardown(() => topics.close())
    await topics.create({ from: 3, to: 2 })
    for (const partition of [0, 1, 2])
      await topics.append('from', partition, { from: 0, count: 100 })
    const run = await runNimbus(t, join(storm.dir, 'KafkaSubmit.java'), { readJava: shellOrClass })
    const java = ['-Xmx256m', '-cp', classPath(storm), 'KafkaSubmit']
    const servers = kafka.brokers.join(',')
    await run.client(storm.program!, [
      ...java,
      String(run.port),
      run.jar,
      servers,
      'from',
      'to',
      'g',
    ])
    const written = await until('all is written', async () => {
      const records = await topics.read('to')
      return records.length >= 300 ? records : undefined
    })
    t.is(new Set(written.map(({ key }) => key!.toString())).size, 300)
    for (const { key, value } of written) {
      t.is(value!.toString(), key!.toString().replace('k', 'v'))
    }
    await until('all is committed', async () =>
      (await topics.committed('g', 'from')).every(({ offset }) => offset === 100),
    )
  },
)
