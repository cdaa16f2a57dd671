// Flux files with Java classes: the Flux of the jar makes the topology, and its components run in the JVM beside the executor, on a
// cluster (--remote) and on this machine alone (--local). `gear check` says which command that is.
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { type RealPart, realTest } from '../real/parts.ts'
import { expectedWords } from './nimbus/nimbus-run.ts'
import { type Tour, tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const at = (path: string) => resolve(fileURLToPath(new URL('.', import.meta.url)), path)
const STORM = at('../../bin/storm')
const GEAR = at('../../bin/gear')
const HANGS_MS = 150_000
const SENTENCES = 20
/** flux-core is there for this line. */
const LINE = '1.2'

const FLUX = `name: NAME
config:
  tour.dir: DIR
  tour.count: ${SENTENCES}
spouts:
  - id: sentences
    className: JvmTour$Sentences
bolts:
  - id: split
    className: JvmTour$Split
  - id: count
    className: JvmTour$Count
streams:
  - from: sentences
    to: split
    grouping: {type: SHUFFLE}
  - from: split
    to: count
    grouping: {type: FIELDS, args: [word]}
`

interface Flux extends Tour {
  readonly jar: string
  yaml(name: string): string
  run(program: string, ...words: readonly string[]): Promise<{ stdout: string; stderr: string }>
}

async function fluxTour(t: ExecutionContext, lib: RealPart, lines: RealPart): Promise<Flux> {
  const run = await tour(t, lib, LINE)
  mkdirSync(join(run.dir, '.storm'))
  const conf = `nimbus.seeds: ["localhost"]\nnimbus.thrift.port: ${run.port}\n`
  writeFileSync(join(run.dir, '.storm', 'storm.yaml'), conf)
  const env = {
    ...process.env,
    HOME: run.dir,
    GEARPUMP_STORM_JARS: join(lib.dir, 'lib', LINE),
    // As if the jar had brought it.
    STORM_EXT_CLASSPATH: join(lines.dir, 'flux-core-1.2.3.jar'),
    STORM_JAR_JVM_OPTS: '-Xmx256m --add-opens=java.base/java.nio=ALL-UNNAMED',
  }
  return {
    ...run,
    jar: join(lib.dir, `tour-${LINE}.jar`),
    yaml: name => {
      const file = join(run.dir, `${name}.yaml`)
      writeFileSync(file, FLUX.replace('NAME', name).replace('DIR', run.dir))
      return file
    },
    run: (program, ...words) =>
      promisify(execFile)(process.execPath, [program, ...words], { env, timeout: HANGS_MS }),
  }
}

async function counted(t: ExecutionContext, run: Tour): Promise<void> {
  await until('all are acked', () => run.noted('acked').length >= SENTENCES, HANGS_MS)
  const counts = new Map<string, number>()
  for (const line of run.noted('counts')) {
    const [word = '', count] = line.split(' ')
    counts.set(word, Math.max(counts.get(word) ?? 0, Number(count)))
  }
  t.deepEqual(
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
    expectedWords(SENTENCES),
  )
}

realTest(
  test.serial,
  ['storm-lib', 'storm-lines'],
  'a Flux file with Java classes runs by storm jar on a cluster, and gear names that command',
  async (t, [lib, lines]) => {
    t.timeout(2 * HANGS_MS)
    const run = await fluxTour(t, lib, lines)
    const yaml = run.yaml('remote')
    const refused = await t.throwsAsync(run.run(GEAR, 'check', yaml))
    t.regex(
      refused!.message,
      /JvmTour\$Sentences is not one that runs without Java[\s\S]*storm local JAR org\.apache\.storm\.flux\.Flux FILE --local-ttl 0[\s\S]*storm jar JAR org\.apache\.storm\.flux\.Flux --remote FILE/,
    )
    await run.run(STORM, 'jar', run.jar, 'org.apache.storm.flux.Flux', '--remote', yaml)
    await counted(t, run)
  },
)

realTest(
  test.serial,
  ['storm-lib', 'storm-lines'],
  'a Flux file with Java classes runs on this machine alone, by storm local and by storm jar with --local',
  async (t, [lib, lines]) => {
    t.timeout(2 * HANGS_MS)
    const run = await fluxTour(t, lib, lines)
    for (const [verb, ...words] of [
      ['local', '--local-ttl', '0'],
      ['jar', '--local', '--sleep', '600000'],
    ] as const) {
      rmSync(join(run.dir, 'acked'), { force: true })
      rmSync(join(run.dir, 'counts'), { force: true })
      const flux = ['org.apache.storm.flux.Flux', run.yaml(verb), ...words]
      const child = run.run(STORM, verb, run.jar, ...flux)
      const ended = (child as unknown as { child: { kill(signal: string): void } }).child
      await counted(t, run)
      ended.kill('SIGTERM')
      const { stderr } = await child
      t.regex(stderr, /the class JvmTour\$Sentences needs Java; the Flux of the jar is run/)
    }
  },
)
