// The native examples on a real broker. log-collection: two hosts, each a process of its own, and every line of both is there.
// kafka-word-count: the counts of words of one topic, written to another.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { type Kafka, startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { testDir } from './flux-run.ts'
import { KafkaTopics } from './kafka-records.ts'
import { until } from './until.ts'

const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))
const exampleFile = (name: string) =>
  fileURLToPath(new URL(`../../examples/${name}/${name}.ts`, import.meta.url))
const LINES = 500

function gear(args: readonly string[]): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [GEAR, 'run', exampleFile('log-collection'), '--until-drained', '--', ...args],
    {
      stdio: 'ignore',
    },
  )
  return new Promise(resolve => child.once('exit', resolve))
}

realTest(
  test,
  ['kafka'],
  'the lines of two hosts are in one topic, those of a host in order; words are counted from topic to topic',
  async (t, [part]) => {
    t.timeout(170_000)
    const kafka = await startKafka({ dir: part.dir, version: '4.4.0' })
    t.teardown(() => kafka.stop())
    const topics = await KafkaTopics.open(kafka)
    t.teardown(() => topics.close())
    await topics.create({ logs: 3, lines: 2, counts: 3 })
    await countsWords(t, kafka, topics)
    const dir = testDir(t)
    const runs = ['web-1', 'web-2'].map(host => {
      mkdirSync(join(dir, host))
      const lines = Array.from(
        { length: LINES },
        (_, at) => `${at % 7 === 0 ? 'WARN' : 'INFO'} ${at}\n`,
      )
      writeFileSync(join(dir, host, 'shop.log'), lines.join('\n'))
      const brokers = kafka.brokers.join(',')
      return gear(['--logs', join(dir, host, '*.log'), '--host', host, '--brokers', brokers])
    })
    t.deepEqual(await Promise.all(runs), [0, 0])
    const records = await topics.read('logs')
    t.is(records.length, 2 * LINES)
    for (const host of ['web-1', 'web-2']) {
      const own = records.filter(({ key }) => key!.toString() === host)
      t.is(new Set(own.map(({ partition }) => partition)).size, 1)
      const said = own.map(({ value }) => JSON.parse(value!.toString()))
      t.deepEqual(
        said.map(({ line }) => Number(line.split(' ')[1])),
        Array.from({ length: LINES }, (_, at) => at),
      )
      t.deepEqual(said[7], { host, level: 'WARN', line: 'WARN 7' })
    }
  },
)

async function countsWords(t: ExecutionContext, kafka: Kafka, topics: KafkaTopics): Promise<void> {
  const texts = ['the cat and the dog', 'a cat', 'The end', '']
  for (const [at, value] of texts.entries())
    await topics.client.produce({ topic: 'lines', partition: at % 2, records: [{ value }] })
  const args = ['--brokers', kafka.brokers.join(','), '--from', 'lines', '--to', 'counts']
  const file = exampleFile('kafka-word-count')
  const child = spawn(process.execPath, [GEAR, 'run', file, '--', ...args], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const records = await until('all words are counted', async () => {
    const found = await topics.read('counts')
    return found.length >= 9 && found
  })
  const newest = records.map(({ key, value }) => [String(key), Number(value)] as const)
  t.deepEqual(Object.fromEntries(newest), { the: 3, cat: 2, and: 1, dog: 1, a: 1, end: 1 })
  await until('all is committed', async () =>
    (await topics.committed('kafka-word-count', 'lines')).every(({ offset }) => offset === 2),
  )
  child.kill('SIGINT')
  await once(child, 'exit')
}
