// A master's own etcd member: started, found again by the next life of its master, started again when it dies, refused
// with its own last words; and an etcd behind TLS with a user.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { realEnvironment } from '../../src/base/environment.ts'
import type { EngineError } from '../../src/base/errors.ts'
import { type LogLine, noLog } from '../../src/base/log.ts'
import { EtcdClient } from '../../src/cluster/store/etcd-client.ts'
import { EtcdMember, type EtcdPeer } from '../../src/cluster/store/etcd-member.ts'
import { openStore } from '../../src/cluster/store/open-store.ts'
import type { ClusterStore, Fence } from '../../src/cluster/store/store.ts'
import { freePorts, startEtcd } from '../real/etcd.ts'
import { type RealPart, realTest, testUnless } from '../real/parts.ts'
import { alive, until } from './until.ts'

const parts = { environment: realEnvironment, log: noLog }

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gearpump-member-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function peers(...names: string[]): Promise<EtcdPeer[]> {
  const ports = await freePorts(2 * names.length)
  return names.map((name, i) => ({
    name,
    clientUrl: `http://127.0.0.1:${ports[2 * i]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * i + 1]}`,
  }))
}

const recordedPid = (directory: string): number =>
  JSON.parse(readFileSync(join(directory, 'member.json'), 'utf8')).pid

// Should a test fail half-way, its etcd must not stay.
function endRecorded(t: ExecutionContext, directory: string): void {
  t.teardown(() => {
    try {
      process.kill(recordedPid(directory), 'SIGKILL')
    } catch {
      t.log('no etcd was left')
    }
  })
}

function leading(store: ClusterStore, name: string): Promise<Fence> {
  return new Promise((resolve, reject) => {
    store.stand({
      name,
      address: `${name}:1`,
      ttlMs: 3000,
      onLead: resolve,
      onLost: () => undefined,
      onLeader: () => undefined,
      onRefused: reject,
    })
  })
}

realTest(
  test.serial,
  ['etcd'],
  'a member lives on when its master does not, is adopted, started again, and ended',
  async (t, [etcd]) => {
    const directory = folder(t)
    const members = await peers('m1')
    const options = { name: 'm1', members, directory, program: etcd.program! }
    // A master that is killed: its member is what remains.
    const script = `
    import { realEnvironment } from '${new URL('../../src/base/environment.ts', import.meta.url)}'
    import { EtcdMember } from '${new URL('../../src/cluster/store/etcd-member.ts', import.meta.url)}'
    await EtcdMember.start(${JSON.stringify(options)}, { environment: realEnvironment, log: { write() {} } })
    process.kill(process.pid, 'SIGKILL')`
    const register = `--import=${new URL('../register.mjs', import.meta.url)}`
    const args = ['--conditions=source', register, '--input-type=module', '-e', script]
    t.throws(() => execFileSync(process.execPath, args, { stdio: 'ignore' }))
    endRecorded(t, directory)
    const pid = recordedPid(directory)
    t.true(alive(pid))

    const lines: LogLine[] = []
    const log = { write: (line: LogLine) => lines.push(line) }
    const store = await openStore({ kind: 'etcd-member', ...options }, { ...parts, log })
    t.is(recordedPid(directory), pid, 'it was adopted')
    t.deepEqual(
      lines.map(line => line.text),
      [
        `etcd, process ${pid}, has been running and goes on`,
        `the cluster's memory is etcd, member m1 of 1, at ${members[0]!.clientUrl}`,
      ],
    )
    const fence = await leading(store, 'm1')
    await store.commit(fence, [{ put: 'k', value: 'kept' }])
    const locked = await t.throwsAsync<EngineError>(EtcdMember.start(options, parts))
    t.is(locked?.code, 'STORE_LOCKED')

    process.kill(pid, 'SIGKILL')
    const next = await until('it is started again', () => {
      const now = recordedPid(directory)
      return now !== pid && now
    })
    t.is((await store.get('k'))?.value, 'kept')
    await store.close()
    t.false(alive(next))
  },
)

realTest(
  test.serial,
  ['etcd'],
  'three masters with a member each have one leader, and survive one of them',
  async (t, [etcd]) => {
    const members = await peers('m1', 'm2', 'm3')
    const stores = await Promise.all(
      members.map(({ name }) => {
        const directory = folder(t)
        endRecorded(t, directory)
        const own = { name, members, directory, program: etcd.program! }
        return openStore({ kind: 'etcd-member', ...own }, parts)
      }),
    )
    const fence = await leading(stores[0]!, 'm1')
    await stores[0]!.commit(fence, [{ put: 'k', value: '1' }])
    const others = [leading(stores[1]!, 'm2'), leading(stores[2]!, 'm3')]
    await stores[0]!.close()
    const next = await Promise.race(others)
    t.true(next.revision > fence.revision)
    const store = stores[next.holder === 'm2' ? 1 : 2]!
    await store.commit(next, [{ put: 'k', value: '2' }])
    t.is((await store.get('k'))?.value, '2')
    await Promise.all(stores.map(it => it.close()))
  },
)

realTest(test.serial, ['etcd'], 'a member that does not come up says why', async (t, [etcd]) => {
  const directory = folder(t)
  const [member] = await peers('m1')
  const options = { name: 'm1', members: [member!], directory, program: etcd.program! }
  const start = (more: object) =>
    t.throwsAsync<EngineError>(EtcdMember.start({ ...options, ...more }, parts))

  const flags = await start({ flags: ['--no-such-flag'] })
  t.is(flags?.code, 'STORE_START_FAILED')
  t.regex(flags!.message, /it ended with exit code \d+; its last words:\n[\s\S]*no-such-flag/)

  const missing = await start({ program: '/nowhere/etcd' })
  t.is(missing?.code, 'STORE_START_FAILED')
  t.regex(missing!.message, /\/nowhere\/etcd: .*ENOENT/)

  const server = createServer().listen(Number(new URL(member!.clientUrl).port), '127.0.0.1')
  const taken = await start({})
  t.is(taken?.code, 'STORE_START_FAILED')
  t.true(taken!.message.includes(`something else listens at ${member!.clientUrl}`), taken!.message)
  await new Promise(resolve => server.close(resolve))

  const stranger = await start({ name: 'm9' })
  t.regex(stranger!.message, /"m9" is not among the masters m1/)
})

// The gateway takes no client certificate with a common name once there are users.
function certificates(directory: string): { ca: string; cert: string; key: string } {
  const path = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const fresh = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    path(`${name}.key`),
  ]
  openssl(
    'req',
    '-x509',
    ...fresh('ca'),
    '-out',
    path('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=test ca',
  )
  writeFileSync(
    path('ext'),
    'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  )
  openssl('req', '-new', ...fresh('own'), '-out', path('own.csr'), '-subj', '/O=test')
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
  openssl(
    'x509',
    '-req',
    '-in',
    path('own.csr'),
    ...signed,
    '-extfile',
    path('ext'),
    '-out',
    path('own.pem'),
  )
  return { ca: path('ca.pem'), cert: path('own.pem'), key: path('own.key') }
}

async function behindTls(t: ExecutionContext, [program]: readonly [RealPart]): Promise<void> {
  const files = certificates(folder(t))
  const etcd = await startEtcd(program.program!, 1, {
    scheme: 'https',
    args: [
      ...['--trusted-ca-file', files.ca, '--client-cert-auth'],
      ...['--cert-file', files.cert, '--key-file', files.key],
    ],
  })
  t.teardown(() => etcd.stop())
  const text = (file: string) => readFileSync(file, 'utf8')
  const tls = { ca: text(files.ca), cert: text(files.cert), key: text(files.key) }
  const { endpoints } = etcd
  const admin = new EtcdClient({ endpoints, tls })
  t.teardown(() => admin.close())
  await until('it answers', () =>
    admin.post('/v3/kv/range', { key: 'YQ==' }).then(
      () => true,
      () => false,
    ),
  )
  await admin.post('/v3/auth/user/add', { name: 'root', password: 'sesame' })
  await admin.post('/v3/auth/role/add', { name: 'root' })
  await admin.post('/v3/auth/user/grant', { user: 'root', role: 'root' })
  await admin.post('/v3/auth/enable', {})

  const user = { name: 'root', password: 'sesame' }
  const store = await openStore({ kind: 'etcd', endpoints, tls, user }, parts)
  t.teardown(() => store.close())
  const fence = await leading(store, 'm1')
  await store.commit(fence, [{ put: 'k', value: 'secret' }])
  t.is((await store.get('k'))?.value, 'secret')

  const wrong = { name: 'root', password: 'wrong-word' }
  const refused = await openStore({ kind: 'etcd', endpoints, tls, user: wrong }, parts)
  const error = await t.throwsAsync<EngineError>(refused.get('k'))
  t.is(error?.code, 'STORE_UNAVAILABLE')
  t.regex(error!.message, /does not let user "root" in/)
  t.false(JSON.stringify(error).includes('wrong-word'))
  await refused.close()
  const bare = await openStore({ kind: 'etcd', endpoints, tls: { ca: tls.ca } }, parts)
  t.is((await t.throwsAsync<EngineError>(bare.get('k')))?.code, 'STORE_UNAVAILABLE')
  await bare.close()
}

const title = 'TLS with a client certificate, and a user with a password'
const openssl = spawnSync('openssl', ['version']).status === 0
if (openssl) realTest(test.serial, ['etcd'], title, behindTls)
else testUnless(test.serial, 'openssl is not installed', title, async () => undefined)
