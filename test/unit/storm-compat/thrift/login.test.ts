// Clients that log in, on sockets: SASL digest and TLS as Storm's settings ask for them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connectThrift } from '../../../../storm-compat/thrift/client.ts'
import { DigestClient, DigestHandshake } from '../../../../storm-compat/thrift/sasl-digest.ts'
import { type Caller, type ServerOptions, serve } from '../../../../storm-compat/thrift/server.ts'
import { method } from '../../../../storm-compat/thrift/service.ts'
import {
  clientSecurity,
  DIGEST_PLUGIN,
  INVOCATIONS_PORT_SETTINGS,
  serverTls,
  serverUsers,
} from '../../../../storm-compat/thrift/transport-conf.ts'
import { string } from '../../../../storm-compat/thrift/wire-types.ts'
import { tlsTest } from '../../transport/certificates.ts'

const methods = { who: method({}, string, {}) }

async function start(t: ExecutionContext, more: Partial<ServerOptions<typeof methods>>) {
  const handlers = { who: (_: object, { user }: Caller) => user ?? 'nobody' }
  const server = await serve({ methods, handlers, port: 0, ...more })
  t.teardown(() => server.close())
  return (security = {}) =>
    connectThrift({ methods, host: '127.0.0.1', port: server.port, security }).then(client => {
      t.teardown(() => client.close())
      return client.call('who', {})
    })
}

const users = new Map([['ada', 'größe "\\']])
const passwordOf = (user: string) => users.get(user)

test('a client that knows the password is let in, and the server proves that it knows it too', async t => {
  const who = await start(t, { passwordOf })
  t.is(await who({ login: { user: 'ada', password: 'größe "\\' } }), 'ada')
  await t.throwsAsync(who({ login: { user: 'ada', password: 'guess' } }), {
    code: 'NIMBUS_UNREACHABLE',
    message: /does not let "ada" in/,
  })
  await t.throwsAsync(who(), { message: /lets only those in who log in by SASL digest/ })

  const client = new DigestClient({ user: 'ada', password: 'x' }, 'h')
  const liar = new DigestHandshake(() => 'y')
  t.throws(() => liar.take(client.take(liar.take(client.greeting))), { code: 'THRIFT_INVALID' })
  const proof = Buffer.from(`rspauth=${'0'.repeat(32)}`)
  t.throws(() => client.take(Buffer.concat([Buffer.of(5, 0, 0, 0, proof.length), proof])), {
    message: /did not prove/,
  })
})

test('a login at a server that asks for none says so; a server that is silent is given up', async t => {
  const who = await start(t, {})
  await t.throwsAsync(who({ login: { user: 'ada', password: 'x' } }), {
    message: /hung up on a login by SASL digest/,
  })
  const silent = createServer(() => undefined)
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const security = { login: { user: 'ada', password: 'x' } }
  await t.throwsAsync(
    connectThrift({ methods, host: '127.0.0.1', port, security, connectTimeoutMs: 50 }),
    { message: /no answer in time/ },
  )
})

tlsTest(
  test,
  'by TLS a client knows the server, and is known by its certificate',
  async (t, { role, client: trusting }) => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-tls-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const conf: Record<string, unknown> = { 'gearpump.drpc.use.tls': true }
    for (const name of ['ca', 'cert', 'key'] as const) {
      conf[`gearpump.tls.${name}`] = join(dir, name)
      writeFileSync(join(dir, name), role[name]!)
    }
    const port = INVOCATIONS_PORT_SETTINGS
    const who = await start(t, { tls: (await serverTls(conf, port))!, host: '127.0.0.1' })
    t.is(await who(await clientSecurity(conf, port)), 'role')
    await t.throwsAsync(who({ tls: { ca: trusting.ca } }))
    await t.throwsAsync(who())
    const { 'gearpump.tls.ca': _, ...untrusting } = conf
    await t.throwsAsync(clientSecurity(untrusting, port), { message: /nobody says whom to trust/ })
    await t.throwsAsync(serverTls({ 'gearpump.drpc.use.tls': true }, port), { message: /no keys/ })
  },
)

test("Storm's settings name the plug-in of each port; what is not spoken is refused", async t => {
  const port = INVOCATIONS_PORT_SETTINGS
  const simple = 'org.apache.storm.security.auth.SimpleTransportPlugin'
  t.deepEqual(await clientSecurity({ 'storm.thrift.transport': simple }, port), {})
  t.is(
    await serverUsers({ 'storm.thrift.transport': DIGEST_PLUGIN, [port.transport]: simple }, port),
    undefined,
  )
  const digest = { 'storm.thrift.transport': simple, [port.transport]: DIGEST_PLUGIN }
  await t.throwsAsync(clientSecurity(digest, port), { message: /there is no java\.security\.auth/ })
  await t.throwsAsync(
    serverUsers({ ...digest, 'java.security.auth.login.config': '/nowhere' }, port),
    {
      code: 'FILE_NOT_FOUND',
    },
  )
  const kerberos = 'org.apache.storm.security.auth.kerberos.KerberosSaslTransportPlugin'
  await t.throwsAsync(clientSecurity({ [port.transport]: kerberos }, port), {
    message: /KerberosSaslTransportPlugin, which is not spoken here/,
  })
})
