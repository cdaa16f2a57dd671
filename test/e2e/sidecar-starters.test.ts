// Released jars of storm-starter, submitted unchanged by our `storm jar`: what users try first. WordCountTopology is not among them,
// since the storm.py of these jars is for Python 2; the RollingTopWords of 0.9.4 lacks a library that its jar does not bring.
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const STORM = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../bin/storm')
/** Clients of these lines reach into Java's own classes. */
const OPENED =
  '--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED'
const STARTS_MS = 150_000

/** Line, jar, class, its arguments, and the component whose inputs show that all works. */
const PROGRAMS = [
  ['0.9', '0.9.4', 'storm.starter.ExclamationTopology', ['a'], 'exclaim2'],
  ['1.0', '1.0.2', 'org.apache.storm.starter.ExclamationTopology', ['c'], 'exclaim2'],
  ['1.0', '1.0.2', 'org.apache.storm.starter.RollingTopWords', ['d', 'remote'], 'finalRanker'],
  ['1.0', '1.0.2', 'org.apache.storm.starter.SlidingWindowTopology', ['e'], 'printer'],
] as const

for (const [line, version, program, args, last] of PROGRAMS) {
  realTest(
    test.serial,
    ['storm-lib', 'storm-starters'],
    `storm jar runs ${program} of storm-starter ${version} unchanged`,
    async (t, [lib, starters]) => {
      t.timeout(2 * STARTS_MS)
      const run = await tour(t, lib, line)
      const root = line.startsWith('0.') ? 'backtype.storm' : 'org.apache.storm'
      const conf = [
        'nimbus.seeds: ["localhost"]',
        'nimbus.host: localhost',
        `nimbus.thrift.port: ${run.port}`,
        `storm.thrift.transport: ${root}.security.auth.SimpleTransportPlugin`,
      ]
      mkdirSync(join(run.dir, '.storm'))
      writeFileSync(join(run.dir, '.storm', 'storm.yaml'), `${conf.join('\n')}\n`)
      const jar = join(starters.dir, `storm-starter-${version}.jar`)
      const GEARPUMP_STORM_JARS = join(lib.dir, 'lib', line)
      const env = { ...process.env, HOME: run.dir, GEARPUMP_STORM_JARS, STORM_JAR_JVM_OPTS: OPENED }
      const options = { env, timeout: STARTS_MS, maxBuffer: 64 * 1024 * 1024 }
      await promisify(execFile)(process.execPath, [STORM, 'jar', jar, program, ...args], options)
      const acked = await until(
        `${last} has had something`,
        async () => (await run.info(args[0])).figures.components[last]!.acked || undefined,
        STARTS_MS,
      )
      t.true(acked > 0)
    },
  )
}
