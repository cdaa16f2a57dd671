// The DRPC server of the build against clients of others: Storm's own Java classes of every line, a Python client, curl's protocol.
// And the whole way: `storm drpc`, `gear run` of the reach example, `gear local --drpc`, called by Storm's client.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { accessOf, type Drpc, type DrpcOptions, startDrpc } from 'gearpump/storm'
import { readJavaComponent } from '../../storm-compat/jvm/shell-classes.ts'
import { type RealPart, realTest } from '../real/parts.ts'
import { zip } from '../unit/storm-compat/nimbus/_zip.ts'
import { GearProcess, localCluster } from './cluster/processes.ts'
import { until } from './until.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SOURCES = at('../real/storm-drpc')
const STORM = at('../../bin/storm')
const REACH = at('../../examples/drpc/reach.ts')
const REACH_PYTHON = at('../../examples/drpc/reach-python.ts')
const URLS = ['foo.com/blog/1', 'engineering.twitter.com/blog/5', 'notaurl.com']
const DIGEST = 'org.apache.storm.security.auth.digest.DigestSaslTransportPlugin'
/** A client that takes longer hangs. */
const HANGS_MS = 120_000

async function start(t: ExecutionContext, more: DrpcOptions = {}): Promise<Drpc> {
  const drpc = await startDrpc({ port: 0, invocationsPort: 0, httpPort: 0, ...more })
  t.teardown(() => drpc.close())
  return drpc
}

/** Runs a single-file Java program; resolves with its lines as `name: value`. */
async function java(
  program: string,
  classpath: string,
  source: string,
  ...args: readonly string[]
): Promise<Record<string, string>> {
  const words = ['-Xmx256m', '-cp', classpath, join(SOURCES, source), ...args]
  const { stdout } = await promisify(execFile)(program, words, { timeout: HANGS_MS })
  const lines = stdout.trim().split('\n')
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
}

const current = (client: RealPart) => join(client.dir, 'lib', '*')

realTest(
  test.serial,
  ['storm-client'],
  "Storm's DRPCClient calls, and its DRPCInvocationsClient answers and fails",
  async (t, [client]) => {
    const drpc = await start(t)
    const ports = [String(drpc.port), String(drpc.invocationsPort)]
    t.deepEqual(await java(client.program!, current(client), 'DrpcTour.java', ...ports), {
      empty: '[]',
      result: 'hello ü!',
      failed: 'DRPCExecutionException Request failed FAILED_REQUEST',
      large: '500000',
    })
  },
)

function oldClasspath(lines: RealPart, line: string): string {
  const jars = [`storm-core-${line}`, 'slf4j-api-1.7.36', 'commons-lang-2.6', 'guava-16.0.1']
  const more = ['snakeyaml-1.11', 'json-simple-1.1.1']
  return [...jars, ...more].map(jar => join(lines.dir, `${jar}.jar`)).join(':')
}

for (const line of ['0.9.7', '0.10.2', '1.0.2', '1.2.4']) {
  realTest(
    test.serial,
    ['storm-client', 'storm-lines'],
    `the DRPC clients of Storm ${line} call, answer and fail`,
    async (t, [client, lines]) => {
      const drpc = await start(t)
      const classpath = oldClasspath(lines, line)
      const ports = [String(drpc.port), String(drpc.invocationsPort)]
      t.deepEqual(await java(client.program!, classpath, 'DrpcTour.java', ...ports), {
        empty: '[]',
        result: 'hello ü!',
        failed: 'DRPCExecutionException Request failed',
        large: '500000',
      })
    },
  )
}

realTest(
  test.serial,
  ['storm-client', 'storm-lines'],
  'DRPC components that Storm of any line serialised are read without Java',
  async (t, [client, lines]) => {
    const returning = { part: 'return-results' }
    const fair = { part: 'keyed-fair', delegate: returning }
    const idStream = { component: 'prepare-request', stream: 'id' }
    for (const line of ['0.9.7', '0.10.2', '1.0.2', '1.2.4', '2.8.1']) {
      const classpath = line === '2.8.1' ? current(client) : oldClasspath(lines, line)
      const root = line.startsWith('0') ? 'backtype.storm' : 'org.apache.storm'
      const objects = await java(client.program!, classpath, 'DrpcObjects.java', root)
      const read = Object.entries(objects).map(([name, bytes]) => {
        const component = readJavaComponent(Buffer.from(bytes, 'base64'))
        return [name, 'drpc' in component ? component.drpc : component.java]
      })
      t.deepEqual(
        Object.fromEntries(read),
        {
          spout: { part: 'spout', functionName: 'shout' },
          join: { part: 'join-result', returnComponent: 'prepare-request' },
          return: returning,
          prepare: { part: 'prepare-request' },
          coordinated: {
            part: 'coordinated',
            delegate: fair,
            sources: [['bolt0', 'single']],
            idStream,
          },
          first: { part: 'coordinated', delegate: fair, sources: [], idStream: undefined },
        },
        line,
      )
    }
  },
)

realTest(
  test.serial,
  ['storm-client'],
  "Storm's own DRPCSpout and ReturnResults answer requests that come over HTTP, and fail one",
  async (t, [client]) => {
    const drpc = await start(t)
    const ports = [String(drpc.invocationsPort), '2']
    const topology = java(client.program!, current(client), 'DrpcTopology.java', ...ports)
    const call = (args: string) =>
      fetch(`http://127.0.0.1:${drpc.httpPort}/drpc/exclaim`, { method: 'POST', body: args })
    t.is(await (await call('hello ü')).text(), 'hello ü!')
    const failed = await call('bad')
    t.is(failed.status, 400)
    t.like(await failed.json(), { error: 'FAILED_REQUEST' })
    t.is((await topology).bolt, 'ack')
  },
)

realTest(
  test.serial,
  ['storm-client'],
  '"storm drpc" lets in whom its JAAS file knows, by Storm\'s client, by ours and by a topology, and nobody else',
  async (t, [client]) => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-drpc-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const jaas = (name: string, section: string, options: string) => {
      const module = 'org.apache.storm.security.auth.digest.DigestLoginModule required'
      writeFileSync(join(dir, name), `${section} { ${module} ${options}; };\n`)
      return join(dir, name)
    }
    const users = jaas('server', 'StormServer', 'user_ada="secret" user_eve="secret"')
    const login = (user: string, password: string) =>
      jaas(`${user}-${password}`, 'StormClient', `username="${user}" password="${password}"`)
    const digest = (file: string) => [
      ...['-c', `storm.thrift.transport=${DIGEST}`],
      ...['-c', `java.security.auth.login.config=${file}`],
    ]
    const only = { 'client.users': ['ada'], 'invocation.user': 'ada' }
    const acl = { exclaim: only, reach: only }
    const { port, invocationsPort, http } = await stormDrpc(t, [
      ...digest(users),
      ...['-c', 'drpc.authorizer=DRPCSimpleACLAuthorizer'],
      ...['-c', `drpc.authorizer.acl=${JSON.stringify(acl)}`],
    ])
    const tour = (plugin: string, file: string) =>
      java(client.program!, current(client), 'DrpcTour.java', port, invocationsPort, plugin, file)
    t.like(await tour(DIGEST, login('ada', 'secret')), { result: 'hello ü!', large: '500000' })
    const [guessed, named, silent] = await Promise.all([
      t.throwsAsync(tour(DIGEST, login('ada', 'guess'))),
      t.throwsAsync(tour(DIGEST, login('eve', 'secret'))),
      t.throwsAsync(tour('org.apache.storm.security.auth.SimpleTransportPlugin', '/dev/null')),
    ])
    t.regex(guessed!.message, /TTransportException/)
    t.regex(named!.message, /AuthorizationException/)
    t.regex(silent!.message, /TTransportException|TProtocolException/)

    const ours = digest(login('ada', 'secret'))
    const topology = ['run', REACH, '-c', `drpc.invocations.port=${invocationsPort}`, ...ours]
    const reach = new GearProcess(topology)
    t.teardown(() => reach.end())
    const where = ['-c', 'drpc.servers=["127.0.0.1"]', '-c', `drpc.port=${port}`]
    const call = (...who: string[]) =>
      promisify(execFile)(
        process.execPath,
        [STORM, 'drpc-client', ...where, ...who, 'reach', URLS[0]!],
        {
          timeout: HANGS_MS,
        },
      )
    t.is((await call(...ours)).stdout, 'reach "foo.com/blog/1" => "16"\n')
    const refused = await t.throwsAsync(call())
    t.regex(refused!.message, /lets only those in who log in by SASL digest/)
    const path = `http://127.0.0.1:${http}/drpc/reach/${URLS[1]}`
    t.is((await fetch(path)).status, 401)
    const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`
    t.is(await (await fetch(path, { headers: { authorization: basic } })).text(), '14')
  },
)

realTest(
  test.serial,
  ['streamparse'],
  'a Thrift client in Python calls, answers and fails',
  async (t, [streamparse]) => {
    const drpc = await start(t)
    const { stdout } = await promisify(execFile)(
      streamparse.program!,
      [join(SOURCES, 'client.py'), String(drpc.port), String(drpc.invocationsPort)],
      { timeout: HANGS_MS, env: { ...process.env, PYTHONIOENCODING: 'utf-8' } },
    )
    t.is(stdout, 'result: hello ü!\nfailed: broken (0)\n')
  },
)

realTest(
  test.serial,
  ['storm-client'],
  'over HTTPS the name in the certificate of a caller is its user',
  async (t, [client]) => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-keys-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const keytool = (...args: string[]) =>
      execFileSync(join(dirname(client.program!), 'keytool'), [...args, '-storepass', 'changeit'], {
        cwd: dir,
        stdio: 'pipe',
      })
    for (const [name, cn] of [
      ['server', 'localhost'],
      ['ada', 'ada'],
    ] as const) {
      const store = ['-storetype', 'PKCS12', '-keystore', `${name}.p12`, '-alias', name]
      const key = ['-keyalg', 'EC', '-validity', '2', '-dname', `CN=${cn}`]
      keytool('-genkeypair', ...store, ...key, '-ext', 'san=dns:localhost')
      keytool('-exportcert', '-rfc', ...store, '-file', `${name}.pem`)
    }
    const file = (name: string) => readFileSync(join(dir, name))
    const acl = { up: { 'client.users': ['ada'] }, down: { 'client.users': ['bob'] } }
    const drpc = await start(t, {
      tls: { pfx: file('server.p12'), passphrase: 'changeit', ca: file('ada.pem') },
      access: accessOf({
        'drpc.authorizer': 'DRPCSimpleACLAuthorizer',
        'drpc.authorizer.acl': acl,
      }),
      requestTimeoutMs: 50,
    })
    const status = (path: string, pfx?: Buffer) =>
      new Promise<number | string>(resolve => {
        const login = pfx === undefined ? {} : { pfx, passphrase: 'changeit' }
        const options = { host: 'localhost', port: drpc.httpPort, path, ca: file('server.pem') }
        get({ ...options, ...login, agent: false }, response => {
          response.resume()
          resolve(response.statusCode ?? 0)
        }).on('error', error => resolve(error.message))
      })
    t.is(await status('/drpc/up', file('ada.p12')), 504)
    t.is(await status('/drpc/down', file('ada.p12')), 403)
    t.is(typeof (await status('/drpc/up')), 'string')
  },
)

interface Daemon {
  readonly port: string
  readonly invocationsPort: string
  readonly http: string
}

async function stormDrpc(t: ExecutionContext, more: readonly string[] = []): Promise<Daemon> {
  const ports = ['drpc.port=0', 'drpc.invocations.port=0', 'drpc.http.port=0']
  const settings = [...ports, 'drpc.disable.http.binding=false'].flatMap(text => ['-c', text])
  const daemon = new GearProcess(['drpc', ...settings, ...more], {}, [], STORM)
  t.teardown(() => daemon.end())
  const says = /: (\d+) for callers, (\d+) for topologies, (\d+) for HTTP/
  const [, port, invocationsPort, http] = await daemon.says(says)
  return { port: port!, invocationsPort: invocationsPort!, http: http! }
}

for (const [what, file] of [
  ['in TypeScript', REACH],
  ['with Python bolts', REACH_PYTHON],
] as const) {
  realTest(
    test.serial,
    ['storm-client'],
    `reach ${what}, spread over two executors, is called by Storm's client through "storm drpc"`,
    async (t, [client]) => {
      const { port, invocationsPort, http } = await stormDrpc(t)
      const settings = ['-c', `drpc.invocations.port=${invocationsPort}`]
      const reach = new GearProcess(['run', file, '--executors', '2', ...settings])
      t.teardown(() => reach.end())
      const calls = URLS.flatMap(url => ['reach', url])
      const answers = await java(
        client.program!,
        current(client),
        'DrpcTour.java',
        port,
        '-',
        'org.apache.storm.security.auth.SimpleTransportPlugin',
        '/dev/null',
        ...calls,
      )
      t.deepEqual(answers, { [URLS[0]!]: '16', [URLS[1]!]: '14', [URLS[2]!]: '0' })
      t.is(await (await fetch(`http://127.0.0.1:${http}/drpc/reach/foo.com/blog/1`)).text(), '16')
      const where = ['-c', 'drpc.servers=["127.0.0.1"]', '-c', `drpc.port=${port}`]
      const words = [STORM, 'drpc-client', ...where, 'reach', URLS[0]!]
      const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: HANGS_MS })
      t.is(stdout, 'reach "foo.com/blog/1" => "16"\n')
      await reach.end()
      t.regex(reach.output, / (\d+) emitted, \1 acked/)
    },
  )
}

test.serial(
  'gear local --drpc serves callers, and an application of its workers answers',
  async t => {
    const flags = ['--workers', '1', '--drpc-port', '0', '--drpc-invocations-port', '0']
    const { process: cluster, master } = await localCluster(t, [...flags, '--drpc-http-port', '0'])
    const [, topologies, http] = await cluster.says(/, (\d+) for topologies, (\d+) for HTTP/)
    const run = [
      'app',
      'run',
      REACH,
      '--master',
      master,
      '-c',
      `drpc.invocations.port=${topologies}`,
    ]
    const reach = new GearProcess(run)
    t.teardown(() => reach.end())
    const call = async () => (await fetch(`http://127.0.0.1:${http}/drpc/reach/${URLS[1]}`)).text()
    t.is(await until('the function is answered', call), '14')
  },
)

const UPPER = `import storm
class Upper(storm.BasicBolt):
    def process(self, tup):
        storm.emit([tup.values[0], tup.values[1].upper()])
Upper().run()
`

realTest(
  test.serial,
  ['storm-client', 'multilang'],
  "shell bolts in a topology of Storm's own LinearDRPCTopologyBuilder answer without a JVM",
  async (t, [client, multilang]) => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-drpc-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const jar = join(dir, 'topology.jar')
    writeFileSync(
      jar,
      zip(
        { name: 'resources/upper.py', content: UPPER },
        { name: 'resources/mark.py', content: UPPER.replace('.upper()', ' + "!"') },
        {
          name: 'resources/storm.py',
          content: readFileSync(join(multilang.dir, 'storm.py'), 'utf8'),
        },
      ),
    )
    const flags = ['--same-process', '--workers', '1', '--thrift-port', '0']
    const drpc = ['--drpc-port', '0', '--drpc-invocations-port', '0', '--drpc-http-port', '0']
    const { process: cluster } = await localCluster(t, [...flags, ...drpc])
    const [, nimbus, port] = await cluster.says(/clients at \S+:(\d+); .*: (\d+) for callers/)
    const found = await java(
      client.program!,
      current(client),
      'DrpcSubmit.java',
      nimbus!,
      port!,
      jar,
    )
    t.like(found, { submitted: 'shouting', first: 'HELLO!', second: 'WÜRLD!' })
    t.regex(found.java!, /bolt0: is the Java class DrpcSubmit\$JavaBolt \(in .*CoordinatedBolt\)/)
  },
)
