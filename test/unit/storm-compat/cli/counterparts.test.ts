// Every verb of `storm` that speaks to a server, against everything that may be found at its port instead: it ends in time, with
// Storm's exit code, says where and why and what to do next, and leaves no connection.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { storm } from '../../../../storm-compat/cli/storm.ts'
import { realSurroundings } from '../../../../storm-compat/cli/surroundings.ts'
import type { Gear, Surroundings } from '../../../../storm-compat/cli/verb.ts'
import { verbs } from '../../../../storm-compat/cli/verbs.ts'
import { serve } from '../../../../storm-compat/thrift/server.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import { zip } from '../nimbus/_zip.ts'
import { COUNTERPARTS } from './_counterparts.ts'

/** Command lines by their verb; FLUX and JAR are files that are there. */
const SPEAKING: Readonly<Record<string, readonly string[]>> = {
  list: ['list'],
  kill: ['kill wc', 'kill wc other -w 1', 'kill -i wc other'],
  activate: ['activate wc'],
  deactivate: ['deactivate wc'],
  rebalance: ['rebalance wc -n 2'],
  'get-errors': ['get-errors wc'],
  monitor: ['monitor wc', 'monitor wc -m split'],
  set_log_level: ['set_log_level wc -l ROOT=INFO'],
  'upload-credentials': ['upload-credentials wc name value'],
  blobstore: [
    'blobstore list',
    'blobstore list key',
    'blobstore cat key',
    'blobstore create key',
    'blobstore update key',
    'blobstore delete key',
    'blobstore set-acl key -s u:ann:r',
    'blobstore replication key --read',
    'blobstore replication key --update -r 2',
  ],
  shell: ['shell resources python3 topology.py'],
  jar: ['jar JAR org.apache.storm.flux.Flux FLUX'],
  'drpc-client': ['drpc-client reach foo.com'],
}

/** Verbs that speak to nobody, or run until Ctrl-C: `ui` has a test of its own below. */
const OTHERS = [
  ...['local', 'localconfvalue', 'remoteconfvalue', 'classpath', 'server_classpath', 'version'],
  ...[
    'ui',
    'drpc',
    'nimbus',
    'supervisor',
    'pacemaker',
    'logviewer',
    'dev-zookeeper',
    'heartbeats',
  ],
  ...['admin', 'kill_workers', 'node-health-check', 'healthcheck', 'repl', 'sql'],
]

/** For one answer; and for a verb, which may ask one seed and then the leader. Two dozen verbs run at once. */
const ANSWER_MS = 4000
const VERB_MS = 20_000

const real = realSurroundings((async () => 0) satisfies Gear)

interface Run {
  readonly code: number
  readonly notes: string
  readonly tookMs: number
}

interface Desk {
  readonly dir: string
  run(command: string, port: number): Promise<Run>
}

async function desk(t: ExecutionContext): Promise<Desk> {
  const dir = await mkdtemp(join(tmpdir(), 'gearpump-doors-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const flux = join(dir, 'topology.yaml')
  await writeFile(flux, FLUX)
  const jar = join(dir, 'topology.jar')
  await mkdir(join(dir, 'resources'))
  await writeFile(join(dir, 'resources', 'split.py'), 'pass')
  await writeFile(jar, zip({ name: 'resources/split.py', content: 'pass' }))
  const run = async (command: string, port: number) => {
    const notes: string[] = []
    const around: Surroundings = {
      ...real,
      env: {},
      homeDir: dir,
      cwd: dir,
      out: () => undefined,
      note: text => notes.push(text),
      drained: async () => undefined,
      stdin: content(),
      runProgram: async () => {
        throw new Error('a program was started though nothing was uploaded')
      },
    }
    const words = command.replace('FLUX', flux).replace('JAR', jar).split(' ')
    const startedMs = performance.now()
    const code = await storm([...words, ...settingsOf(port)], around.gear, around)
    return { code, notes: notes.join('\n'), tookMs: performance.now() - startedMs }
  }
  return { dir, run }
}

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('content')
}

function settingsOf(port: number): string[] {
  const settings = {
    'nimbus.seeds': '["127.0.0.1"]',
    'nimbus.thrift.port': port,
    'storm.thrift.socket.timeout.ms': ANSWER_MS,
    'drpc.servers': '["127.0.0.1"]',
    'drpc.port': port,
    'drpc.request.timeout.secs': 1,
  }
  return Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
}

const FLUX = `
name: words
spouts:
  - id: lines
    className: org.apache.storm.flux.wrappers.spouts.FluxShellSpout
    constructorArgs: [["python3", "lines.py"], ["line"]]
bolts: []
streams: []
`

/** A Nimbus that names the server at this port as the leader. */
async function naming(t: ExecutionContext, port: number): Promise<number> {
  const unused = Object.keys(nimbusMethods).map(name => [name, () => undefined])
  const server = await serve({
    methods: nimbusMethods,
    handlers: {
      ...Object.fromEntries(unused),
      getLeader: () => ({ host: '127.0.0.1', port, uptime_secs: 1, isLeader: true, version: '2' }),
    },
    port: 0,
  })
  t.teardown(() => server.close())
  return server.port
}

function assertTold(t: ExecutionContext, run: Run, cause: RegExp, port: number, command: string) {
  t.is(run.code, 1, `${command}: ${run.notes}`)
  t.true(run.tookMs < VERB_MS, `${command} took ${run.tookMs} ms`)
  t.regex(run.notes, cause, command)
  t.true(run.notes.includes(`127.0.0.1:${port}`), `${command} names host and port: ${run.notes}`)
  t.regex(run.notes, /\n {2}\S/, `${command} says what to do next: ${run.notes}`)
  t.notRegex(run.notes, /\n\s*at |undefined/, command)
}

test('every verb is in one of the two lists', t => {
  t.deepEqual([...Object.keys(SPEAKING), ...OTHERS].sort(), [...verbs.keys()].sort())
})

for (const { name, cause, start } of COUNTERPARTS) {
  test.serial(`a server that ${name}: every verb ends, and says so`, async t => {
    const { run } = await desk(t)
    const port = await start(t)
    const commands = Object.values(SPEAKING).flat()
    const runs = await Promise.all(commands.map(command => run(command, port)))
    for (const [i, each] of runs.entries()) assertTold(t, each, cause, port, commands[i]!)
  })

  test.serial(`a leader that ${name}: every verb ends, and says so`, async t => {
    const { run } = await desk(t)
    const port = await start(t)
    const seed = await naming(t, port)
    const commands = Object.values(SPEAKING)
      .flat()
      .filter(each => !/^drpc/.test(each))
    const runs = await Promise.all(commands.map(command => run(command, seed)))
    for (const [i, each] of runs.entries()) assertTold(t, each, cause, port, commands[i]!)
  })
}

for (const { name, cause, start } of COUNTERPARTS) {
  test.serial(
    `storm ui before a server that ${name} answers each page with the reason`,
    async t => {
      const { dir } = await desk(t)
      const port = await start(t)
      let address = ''
      const notes: string[] = []
      const around: Surroundings = {
        ...real,
        env: {},
        homeDir: dir,
        cwd: dir,
        out: text => {
          address = /http:\S+/.exec(text.toString())![0]
        },
        note: text => notes.push(text),
        drained: async () => undefined,
        interrupted: async () => {
          const answer = await fetch(`${address}cluster/summary`)
          t.true([502, 503].includes(answer.status), String(answer.status))
          const { errorMessage } = (await answer.json()) as { errorMessage: string }
          t.regex(errorMessage, cause)
          t.true(errorMessage.includes(`127.0.0.1:${port}`))
          t.notRegex(errorMessage, /\n\s*at /)
        },
      }
      t.is(await storm(['ui', '--port', '0', ...settingsOf(port)], around.gear, around), 0)
      t.true(notes.join('').includes(`127.0.0.1:${port}`), 'the log says it, too')
    },
  )
}
