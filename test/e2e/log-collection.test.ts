// The example log-collection on a real broker: two hosts, each a process of its own, and every line of both is there.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { testDir } from './flux-run.ts'
import { KafkaTopics } from './kafka-records.ts'

const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))
const EXAMPLE = fileURLToPath(
  new URL('../../examples/log-collection/log-collection.ts', import.meta.url),
)
const LINES = 500

function gear(args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [GEAR, 'run', EXAMPLE, '--until-drained', '--', ...args], {
    stdio: 'ignore',
  })
  return new Promise(resolve => child.once('exit', resolve))
}

realTest(
  test,
  ['kafka'],
  'the lines of two hosts are in one topic, those of a host in order',
  async (t, [part]) => {
    t.timeout(170_000)
    const kafka = await startKafka({ dir: part.dir, version: '4.4.0' })
    t.teardown(() => kafka.stop())
    const topics = await KafkaTopics.open(kafka)
    t.teardown(() => topics.close())
    await topics.create({ logs: 3 })
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
