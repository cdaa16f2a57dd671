// A cluster with TLS and a token: it works for those who have the means, refuses everybody else with a reason, and its
// secrets are nowhere to be read. And a cluster without is not started by mistake.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { connect as openSocket } from 'node:net'
import { join } from 'node:path'
import { connect as openTls } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { type ClusterGear, connect } from 'gearpump'
import { ActorSystem } from '../../../dist/src/actor/actor-system.js'
import { realEnvironment } from '../../../dist/src/base/environment.js'
import { noLog } from '../../../dist/src/base/log.js'
import { SocketTransport } from '../../../dist/src/transport/socket-transport.js'
import { freePorts } from '../../real/etcd.ts'
import { part } from '../../real/parts.ts'
import { type Certificates, tlsTest } from '../../unit/transport/certificates.ts'
import { replayApp } from '../apps/replay.ts'
import { until } from '../until.ts'
import { listenersOf } from './listeners.ts'
import { GearProcess, privateDirectory, processesOf } from './processes.ts'

const TOKEN = 'a-token-for-this-test-alone'
const WRONG = 'a-token-of-another-cluster'

interface Secured {
  readonly directory: string
  readonly master: string
  readonly config: string
  readonly processes: GearProcess[]
  worker(name: string, ...more: readonly string[]): GearProcess
  /** Files that are handed to the processes; not part of what they write. */
  readonly keys: string
}

/** Settings of a secured cluster, and its master. */
async function secured(
  t: ExecutionContext,
  given: Certificates,
  masterPort: number,
  ...flags: readonly string[]
): Promise<Secured> {
  const directory = privateDirectory(t)
  const keys = join(directory, 'keys')
  mkdirSync(keys)
  const write = (name: string, text: unknown) => writeFileSync(join(keys, name), `${text}`)
  write('ca.pem', given.ca)
  write('node.pem', given.role.cert)
  write('node.key', given.role.key)
  write('stranger.pem', given.stranger.cert)
  write('stranger.key', given.stranger.key)
  write('token', `${TOKEN}\n`)
  const master = `127.0.0.1:${masterPort}`
  write(
    'gear.yaml',
    `cluster: {masters: ['${master}']}
host: {dataDir: ../data}
timeouts: {unreachableMs: 10000}
security:
  tls: {ca: ca.pem, cert: node.pem, key: node.key}
  tokenFile: token
`,
  )
  const config = join(keys, 'gear.yaml')
  const processes: GearProcess[] = []
  const started = (...args: readonly string[]): GearProcess => {
    const run = new GearProcess(args, { GEARPUMP_TEST: directory })
    t.teardown(() => run.end())
    processes.push(run)
    return run
  }
  const first = started('master', '--config', config, ...flags)
  await first.says(/master \S+ is up/)
  return {
    ...{ directory, keys, master, config, processes },
    worker: (name, ...more) =>
      started('worker', '--name', name, '--config', config, '--worker.slots', '1', ...more),
  }
}

/** Two workers that are two hosts to the cluster, so that their executors talk over TCP. */
async function twoHosts(cluster: Secured): Promise<void> {
  for (const i of [2, 3]) {
    const worker = cluster.worker(`h${i}`, '--host.bind', `127.0.0.${i}`)
    await worker.says(/registered with the master/)
  }
}

async function client(
  t: ExecutionContext,
  { master }: Secured,
  { ca }: Certificates,
): Promise<ClusterGear> {
  const gear = await connect({ masters: [master], token: TOKEN, tls: { ca } })
  t.teardown(() => gear.close())
  return gear
}

async function submitted(gear: ClusterGear, directory: string, count: number) {
  const out = join(directory, `out-${count}`)
  const app = await gear.submit(
    replayApp({ count, out, emits: join(directory, `emits-${count}`), relays: 2 }),
    { executors: 2 },
  )
  return { app, lines: () => new Set(readFileSync(out, 'utf8').trim().split('\n')).size }
}

/** A `gear` command with an environment of its own, to its end. */
async function command(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  const run = new GearProcess(args, env)
  return { exit: await run.exited, output: run.output }
}

/** Says something that is no TLS, and waits until it is hung up on. */
function garbage(host: string, port: number, bytes: Buffer): Promise<void> {
  return new Promise(resolve => {
    const socket = openSocket({ host, port }, () => socket.write(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('data', () => undefined)
    socket.once('close', () => resolve())
  })
}

/** The name in the certificate that a port shows; rejects when it shows none of the authority. */
function shown(host: string, port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = openTls({ host, port, ca }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

/** Everything that the processes have written under the directory, but for what they were given. */
function written(directory: string, apart: string): { path: string; text: string }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.startsWith(apart))
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ path, text: readFileSync(path, 'latin1') }))
}

function checkSecrets(t: ExecutionContext, cluster: Secured, more: readonly string[]): void {
  const { directory, keys, processes } = cluster
  const key = readFileSync(join(keys, 'node.key'), 'latin1').split('\n')[1]!
  const texts = [
    ...processes.map((run, i) => ({ path: `output ${i}`, text: run.output })),
    ...more.map(text => ({ path: 'output of a client', text })),
    ...written(directory, keys),
    ...processesOf(directory).flatMap(({ pid }) =>
      ['cmdline', 'environ'].map(name => {
        const path = `/proc/${pid}/${name}`
        return { path, text: readFileSync(path, 'latin1') }
      }),
    ),
  ]
  t.true(texts.length > 10, 'it has looked at something')
  for (const { path, text } of texts)
    for (const secret of [TOKEN, WRONG, key]) t.false(text.includes(secret), `a secret in ${path}`)
}

tlsTest(
  test.serial,
  'with TLS and a token an application runs over two hosts, every port speaks TLS only, and no secret is written',
  async (t, given) => {
    const [port] = await freePorts(1)
    const cluster = await secured(t, given, port!)
    await twoHosts(cluster)
    const gear = await client(t, cluster, given)
    const { app, lines } = await submitted(gear, cluster.directory, 2000)
    const { executors } = await app.info()
    t.deepEqual(executors.map(e => e.where).sort(), ['h2', 'h3'])

    const listeners = listenersOf(processesOf(cluster.directory).map(({ pid }) => pid))
    // A master, two workers, an app master, and two executors, which listen for links as well.
    t.true(listeners.length >= 8, JSON.stringify(listeners))
    for (const { host, port } of listeners) {
      t.is(await shown(host, port, given.ca), 'role')
      const much = Buffer.alloc(100_000, 0xff)
      for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), much])
        await garbage(host, port, bytes)
    }
    t.deepEqual(
      (await app.info()).executors.map(e => e.pid),
      executors.map(e => e.pid),
      'garbage ended nothing',
    )

    await app.drained({ idleMs: 120_000 })
    t.is(lines(), 2000)
    const data = join(cluster.directory, 'data')
    for (const name of ['', ...readdirSync(data)])
      t.is(statSync(join(data, name)).mode & 0o777, 0o700, name)
    checkSecrets(t, cluster, [JSON.stringify(await app.info())])
    await app.kill()
  },
)

tlsTest(
  test.serial,
  'who has no token, a wrong one, or a certificate of another authority is refused with a reason, and runs nothing',
  async (t, given) => {
    const [port] = await freePorts(1)
    const cluster = await secured(t, given, port!)
    await twoHosts(cluster)
    const { keys, master } = cluster
    const asClient = join(keys, 'client.yaml')
    writeFileSync(
      asClient,
      'security: {tls: {ca: ca.pem, cert: stranger.pem, key: stranger.key}}\n',
    )
    const run = ['app', 'run', 'examples/sol/sol.ts', '--settings', asClient, '--master', master]

    const without = await command({}, ...run)
    t.is(without.exit, 1)
    t.regex(without.output, /shown no token/)
    t.regex(without.output, /give it a token of this cluster/)
    const wrong = await command({ GEAR_TOKEN: WRONG }, ...run)
    t.is(wrong.exit, 1)
    t.regex(wrong.output, /token is not accepted here/)
    const plain = await command({ GEAR_TOKEN: TOKEN }, 'app', 'list', '--master', master)
    t.is(plain.exit, 1)
    t.regex(plain.output, /the token is not shown: without TLS/)
    t.regex(plain.output, /no master leads/)

    const stranger = cluster.worker(
      ...(['h4', '--security.tls.cert', join(keys, 'stranger.pem')] as const),
      ...['--security.tls.key', join(keys, 'stranger.key')],
    )
    t.is(await stranger.exited, 1)
    t.regex(stranger.output, /certificate cannot be verified/)

    const list = await command(
      { GEAR_TOKEN: TOKEN },
      ...['app', 'list', '--json', '--settings', asClient, '--master', master],
    )
    t.deepEqual(JSON.parse(list.output), [])
    const workers = await (await client(t, cluster, given)).workers()
    t.deepEqual(workers.map(w => w.id).sort(), ['h2', 'h3'])
    checkSecrets(t, cluster, [without.output, wrong.output, plain.output, list.output])
  },
)

tlsTest(
  test.serial,
  'a client with the token may not call what is for the roles, and is not told the secret of an application',
  async (t, given) => {
    const [port] = await freePorts(1)
    const cluster = await secured(t, given, port!)
    await twoHosts(cluster)
    const gear = await client(t, cluster, given)
    const { app } = await submitted(gear, cluster.directory, 100)
    const system = new ActorSystem({
      environment: realEnvironment,
      log: noLog,
      name: 'curious client',
      transport: new SocketTransport({ kind: 'tcp', tls: { ca: given.ca } }),
      credentials: { token: TOKEN },
    })
    t.teardown(() => system.close())
    const asked = (host: string, port: number, name: string, method: string, ...args: unknown[]) =>
      system
        .ref<Record<string, (...args: unknown[]) => Promise<unknown>>>({
          node: { kind: 'tcp', host, port },
          name,
        })
        .ask(method, ...args)

    await t.throwsAsync(asked('127.0.0.1', port!, 'master', 'leader'), { code: 'UNAUTHORIZED' })
    const record = (await asked('127.0.0.1', port!, 'gear', 'find', app.id)) as { token: string }
    t.is(record.token, '')
    const { pid } = (await gear.workers())[0]!
    const pids = [pid, ...(await app.info()).executors.map(e => e.pid!)]
    for (const listener of listenersOf(pids)) {
      // Ports for the data of executors understand nothing of it, and hang up.
      for (const [door, method] of [
        ['worker', 'stopApp'],
        ['executor', 'adopt'],
        ['app-master', 'stop'],
      ] as const)
        await t.throwsAsync(asked(listener.host, listener.port, door, method, app.id), {
          message: /token is not accepted here|it ended the link, before it greeted/,
        })
    }
    t.is((await app.info()).executors.length, 2)
    await app.kill()
  },
)

const etcd = part('etcd')
const ETCD_TITLE =
  'an etcd that the master starts takes the certificates of the cluster, and answers nobody without one'

if ('missing' in etcd) test.skip(`${ETCD_TITLE} (${etcd.missing})`, async () => undefined)
else tlsTest(test.serial, ETCD_TITLE, (t, given) => ownEtcd(t, given, etcd.program!))

async function ownEtcd(t: ExecutionContext, given: Certificates, program: string): Promise<void> {
  const port = await until('three ports in their distance are free', async () => {
    const [first] = await freePorts(1)
    return first! < 60_000 ? first : undefined
  })
  const flags = ['--cluster.store', 'etcd', '--cluster.etcd', program]
  const cluster = await secured(t, given, port, ...flags)
  await twoHosts(cluster)
  const gear = await client(t, cluster, given)
  t.is((await gear.master()).store, 'etcd')
  const { app, lines } = await submitted(gear, cluster.directory, 500)
  await app.drained({ idleMs: 120_000 })
  t.is(lines(), 500)
  await app.kill()

  const url = `127.0.0.1:${port + 1000}/version`
  await t.throwsAsync(answerOf(done => httpsGet(`https://${url}`, { ca: given.ca }, done)))
  const plain = await answerOf(done => httpGet(`http://${url}`, done)).catch(() => 400)
  t.is(plain, 400)
  checkSecrets(t, cluster, [])
}

type Answer = (response: { statusCode?: number | undefined; resume(): unknown }) => void

function answerOf(ask: (done: Answer) => ReturnType<typeof httpGet>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    ask(response => {
      response.resume()
      resolve(response.statusCode)
    }).once('error', reject)
  })
}

test.serial(
  'a network is not served without TLS, unless it is said in plain words, and then it is told',
  async t => {
    const directory = privateDirectory(t)
    const [port] = await freePorts(1)
    const data = ['--host.dataDir', directory]
    const everywhere = ['--host.bind', '0.0.0.0', '--port', `${port}`, ...data]
    for (const role of [
      ['master', ...everywhere],
      ['worker', '--name', 'w', '--host.bind', '0.0.0.0', ...data],
      ['local', '--workers', '1', ...everywhere],
    ]) {
      const refused = await command({}, ...role)
      t.is(refused.exit, 2, refused.output)
      t.regex(refused.output, /listening on 0\.0\.0\.0 without TLS.* would let everybody/)
      t.regex(refused.output, /security\.insecure/)
    }
    const open = new GearProcess(['master', ...everywhere, '--security.insecure'])
    t.teardown(() => open.end())
    await open.says(/WARN .*listens on 0\.0\.0\.0 without TLS: everybody/)
    await open.says(/is up/)
  },
)

test.serial('a token that is not used, for want of TLS, is told and not shown', async t => {
  const directory = privateDirectory(t)
  const [port] = await freePorts(1)
  const run = new GearProcess([
    ...['master', '--port', `${port}`, '--host.dataDir', directory, '--security.token', TOKEN],
  ])
  await run.says(/WARN .*security\.token is not used/)
  await run.says(/is up/)
  await run.end()
  t.is(await run.exited, 0)
  t.false(run.output.includes(TOKEN))
  rmSync(directory, { recursive: true, force: true })
})
