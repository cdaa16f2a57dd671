// An unmodified Java client of Nimbus: Storm's own storm-client, StormSubmitter and NimbusClient. With SASL digest it is in
// nimbus-users.test.ts.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import test from 'ava'
import { type RealPart, realTest } from '../real/parts.ts'
import { counted, expectedWords, type NimbusRun, runNimbus } from './nimbus/nimbus-run.ts'

async function tour(
  run: NimbusRun,
  client: RealPart,
  ...more: readonly string[]
): Promise<Record<string, string>> {
  const classpath = `${join(client.dir, 'lib')}/*:${join(client.dir, 'classes')}`
  const args = ['-Xmx256m', '-cp', classpath, 'NimbusTour']
  const given = [String(run.port), run.jar, run.collected]
  const output = await run.client(client.program!, [...args, ...given, ...more])
  const lines = output.trim().split('\n')
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
}

realTest(
  test,
  ['multilang', 'storm-client'],
  'StormSubmitter submits shell components, NimbusClient looks, changes and kills; Java is refused by its class',
  async (t, [multilang, client]) => {
    const run = await runNimbus(t, join(multilang.dir, 'storm.py'))
    const found = await tour(run, client)
    t.like(found, {
      submitted: 'ACTIVE 5',
      owner: userInfo().username,
      acked: '200',
      executors: '5',
      own: '[collect, split]',
      deactivated: 'INACTIVE',
      rebalanced: '4',
      dead: 'tour is not alive',
    })
    t.regex(found.version!, /^2\.8\./)
    t.regex(found.refused!, /there is no event logger/)
    // The bolt is wrapped; its own class is told by whoever reads the object.
    t.regex(
      found.java!,
      /InvalidTopologyException.*component java: is the Java class org\.apache\.storm\.topology\.BasicBoltExecutor/,
    )
    t.deepEqual(counted(run.words()), expectedWords(200))
  },
)

/** Calls over TLS without a certificate; resolves with the number of bytes that came back. */
function withoutCertificate(port: number): Promise<number> {
  return new Promise(resolve => {
    let bytes = 0
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.on('data', chunk => {
      bytes += chunk.length
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(bytes))
    socket.write(Buffer.from('8001000100000009', 'hex'))
    socket.write('getLeader')
    socket.write(Buffer.from('0000000100', 'hex'))
  })
}

/** Keys of a server and a client who trust each other, made by the JDK's own tool. */
function makeKeys(dir: string, java: string): void {
  const keytool = (...args: string[]) =>
    execFileSync(join(dirname(java), 'keytool'), [...args, '-storepass', 'changeit'], {
      cwd: dir,
      stdio: 'pipe',
    })
  for (const [name, cn] of [
    ['server', 'localhost'],
    ['client', 'ada'],
  ] as const) {
    const store = ['-storetype', 'PKCS12', '-keystore', `${name}.p12`, '-alias', name]
    const key = ['-keyalg', 'EC', '-validity', '2', '-dname', `CN=${cn}`]
    keytool('-genkeypair', ...store, ...key, '-ext', 'san=dns:localhost')
    keytool('-exportcert', '-rfc', ...store, '-file', `${name}.pem`)
  }
  keytool(
    '-importcert',
    '-noprompt',
    '-storetype',
    'PKCS12',
    '-keystore',
    'trust.p12',
    '-file',
    'server.pem',
  )
}

realTest(
  test,
  ['multilang', 'storm-client'],
  "Storm's client submits over TLS with a certificate, whose name owns the topology; without one nobody gets in",
  async (t, [multilang, client]) => {
    const keys = mkdtempSync(join(tmpdir(), 'gearpump-keys-'))
    t.teardown(() => rmSync(keys, { recursive: true, force: true }))
    makeKeys(keys, client.program!)
    const run = await runNimbus(t, join(multilang.dir, 'storm.py'), {
      tls: {
        pfx: readFileSync(join(keys, 'server.p12')),
        passphrase: 'changeit',
        ca: readFileSync(join(keys, 'client.pem')),
      },
    })
    t.is(await withoutCertificate(run.port), 0)
    const found = await tour(run, client, keys)
    t.like(found, { submitted: 'ACTIVE 5', owner: 'ada', acked: '200', dead: 'tour is not alive' })
    t.deepEqual(counted(run.words()), expectedWords(200))
  },
)
