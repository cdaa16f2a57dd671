// A gateway that wants to know who comes in, before a cluster: users by SASL digest and certificates by TLS, Storm's own client and
// the `storm` command; and credentials on their way through the cluster to components that run.
import { execFile, execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { connectThrift } from '../../storm-compat/thrift/client.ts'
import { drpcInvocationsMethods } from '../../storm-compat/thrift/storm-drpc.ts'
import { realTest } from '../real/parts.ts'
import { zip } from '../unit/storm-compat/nimbus/_zip.ts'
import { tlsTest } from '../unit/transport/certificates.ts'
import { GearProcess, localCluster, STORM } from './cluster/processes.ts'
import { until } from './until.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SOURCES = at('../real/storm-client')
const DIGEST = 'org.apache.storm.security.auth.digest.DigestSaslTransportPlugin'
const HANGS_MS = 150_000

async function gateway(t: ExecutionContext, master: string, settings: readonly string[]) {
  const args = ['nimbus', '--masters', master, '--thrift-port', '0', ...settings]
  const run = new GearProcess(args, {}, [], STORM)
  t.teardown(() => run.end())
  const [, port] = await run.says(/Storm's clients at \S+:(\d+)/)
  return port!
}

interface Outcome {
  readonly code: number
  readonly text: string
}

/** The `storm` command of a home folder. */
async function storm(home: string, ...words: string[]): Promise<Outcome> {
  const options = { timeout: HANGS_MS, env: { ...process.env, HOME: home } }
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [STORM, ...words],
      options,
    )
    return { code: 0, text: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, text: stdout + stderr }
  }
}

function homeOf(dir: string, name: string, conf: string): string {
  mkdirSync(join(dir, name, '.storm'), { recursive: true })
  writeFileSync(join(dir, name, '.storm', 'storm.yaml'), conf)
  return join(dir, name)
}

realTest(
  test.serial,
  ['storm-client', 'storm-lib'],
  "before a cluster Storm's client logs in, submits a component of 3 MB, gives running Java components other credentials, rebalances and kills; who does not log in gets nowhere",
  async (t, [client, lib]) => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const java = client.program!
    const jars = `${join(client.dir, 'lib')}/*`
    const classes = join(dir, 'classes')
    execFileSync(join(dirname(java), 'javac'), [
      ...['-nowarn', '-cp', jars, '-d', classes, join(SOURCES, 'CredentialsTour.java')],
    ])
    const compiled = readdirSync(classes).map(name => ({
      name,
      content: readFileSync(join(classes, name)),
    }))
    writeFileSync(join(dir, 'tour.jar'), zip(...compiled))
    writeFileSync(join(dir, 'users'), 'ada:lovelace\neve:apple\n')
    const login = (user: string, password: string) => {
      const module = 'org.apache.storm.security.auth.digest.DigestLoginModule required'
      const file = join(dir, `${user}-${password}`)
      writeFileSync(file, `StormClient { ${module} username="${user}" password="${password}"; };`)
      return file
    }

    process.env.GEARPUMP_STORM_JARS = join(lib.dir, 'lib')
    t.teardown(() => delete process.env.GEARPUMP_STORM_JARS)
    const { master } = await localCluster(t, ['--workers', '2'])
    const users = ['--gateway.usersFile', join(dir, 'users')]
    const port = await gateway(t, master, users)
    const secrets = join(dir, 'secrets.txt')
    const tour = async (jaas: string) => {
      const vm = ['-Xmx256m', '-cp', `${jars}:${classes}`, 'CredentialsTour']
      const given = [port, join(dir, 'tour.jar'), secrets, DIGEST, jaas]
      const { stdout } = await promisify(execFile)(java, [...vm, ...given], { timeout: HANGS_MS })
      return stdout
    }
    const conf = (jaas: string) =>
      `nimbus.thrift.port: ${port}\nstorm.thrift.transport: ${DIGEST}\njava.security.auth.login.config: ${jaas}\n`
    const ada = homeOf(dir, 'ada', conf(login('ada', 'lovelace')))
    const touring = tour(login('ada', 'lovelace'))
    const got = (line: string) =>
      existsSync(secrets) && readFileSync(secrets, 'utf8').includes(`${line}\n`)
    await Promise.race([until('others came', () => got('seen second'), 60_000), touring])
    t.regex((await storm(ada, 'list')).text, /secrets +ACTIVE .* ada/)
    const third = await storm(ada, 'upload-credentials', 'secrets', 'password', 'third')
    t.is(third.text, 'Uploaded new creds to topology: secrets\n')
    t.regex(await touring, /owner: ada ACTIVE\nworkers: 2\nkilled: true\n/)

    await t.throwsAsync(tour(login('ada', 'guess')), { message: /NimbusLeaderNotFound/ })
    const wrong = await storm(homeOf(dir, 'wrong', conf(login('ada', 'guess'))), 'list')
    t.is(wrong.code, 1)
    t.regex(wrong.text, /the server does not let "ada" in/)
    const nobody = await storm(homeOf(dir, 'nobody', `nimbus.thrift.port: ${port}\n`), 'list')
    t.is(nobody.code, 1)
    t.regex(nobody.text, /lets only those in who log in by SASL digest/)
  },
)

tlsTest(
  test.serial,
  'the ports of gear local speak TLS with gateway.tls.*, and the storm command comes in with its certificate only',
  async (t, { ca, role }) => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const pem = { ca, cert: String(role.cert), key: String(role.key) }
    for (const [name, text] of Object.entries(pem)) writeFileSync(join(dir, name), text)
    const keys = Object.keys(pem).flatMap(name => [`--gateway.tls.${name}`, join(dir, name)])
    const ports = ['--thrift-port', '0', '--drpc-port', '0', '--drpc-invocations-port', '0']
    const flags = [
      '--same-process',
      '--workers',
      '1',
      '--drpc-http-port',
      '0',
      ...ports,
      ...keys,
      '--gateway.advertise',
      '127.0.0.1',
    ]
    const { process: cluster } = await localCluster(t, flags)
    const says = /clients at \S+:(\d+); .*: (\d+) for callers, (\d+) for topologies/
    const [, port, drpc, topologies] = await cluster.says(says)
    const conf = [
      ...['nimbus.seeds: ["127.0.0.1"]', `nimbus.thrift.tls.port: ${port}`],
      ...['nimbus.thrift.client.use.tls: true', `gearpump.tls.ca: ${join(dir, 'ca')}`],
      ...['drpc.servers: ["127.0.0.1"]', `drpc.port: ${drpc}`, 'gearpump.drpc.use.tls: true'],
    ]
    const own = [`gearpump.tls.cert: ${join(dir, 'cert')}`, `gearpump.tls.key: ${join(dir, 'key')}`]
    const known = homeOf(dir, 'known', [...conf, ...own].join('\n'))
    const stranger = homeOf(dir, 'stranger', conf.join('\n'))
    t.deepEqual(await storm(known, 'list'), { code: 0, text: 'No topologies running.\n' })
    t.is((await storm(stranger, 'list')).code, 1)
    const call = ['drpc-client', 'echo', 'x']
    const answered = storm(known, ...call)
    const topology = await connectThrift({
      ...{ methods: drpcInvocationsMethods, host: '127.0.0.1', port: Number(topologies) },
      security: { tls: pem },
    })
    t.teardown(() => topology.close())
    const request = await until('the request can be fetched', async () => {
      const fetched = await topology.call('fetchRequest', { functionName: 'echo' })
      return fetched.request_id === '' ? undefined : fetched
    })
    t.regex((await storm(stranger, ...call)).text, /no DRPC server found|alert|hung up|ended/)
    await topology.call('result', { id: request.request_id, result: request.func_args })
    const { code, text } = await answered
    // On a busy machine it says meanwhile that it waits.
    const waits = /^storm: \S+ has not answered execute yet; .*\n/gm
    t.deepEqual({ code, text: text.replace(waits, '') }, { code: 0, text: 'echo "x" => "x"\n' })
  },
)
