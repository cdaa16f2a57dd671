import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { connectThrift } from '../../../../storm-compat/thrift/client.ts'
import { ThriftException } from '../../../../storm-compat/thrift/codec.ts'
import { DRPCExecutionException, drpcMethods } from '../../../../storm-compat/thrift/storm-drpc.ts'
import { until } from '../../../e2e/until.ts'
import { world } from './_surroundings.ts'

const SERVERS = ['-c', 'drpc.servers=["dead","alive"]', '-c', 'drpc.port=4000']

test('drpc-client calls functions at the first server that answers, and prints as Storm does', async t => {
  const answers = { execute: ({ funcArgs }: { funcArgs: string }) => `${funcArgs}!` }
  const w = await world(t, { answers, deadHosts: ['dead'] })
  t.is(await w.run('drpc-client', ...SERVERS, 'up', 'a', 'up', 'b c'), 0)
  t.is(await w.run('drpc-client', ...SERVERS, '-f', 'up', 'd'), 0)
  t.is(w.printed(), 'up "a" => "a!"\nup "b c" => "b c!"\nup "d" => "d!"\n')
  t.deepEqual(w.connections.slice(0, 2), ['dead:4000', 'alive:4000'])
  t.is(w.calls[2]?.args.functionName, 'up')
})

test('drpc-client tells what is wrong: the command line with 2, the rest with 1', async t => {
  const execute = () => {
    throw new ThriftException(DRPCExecutionException, { msg: 'Timed Out', type: 'SERVER_TIMEOUT' })
  }
  const w = await world(t, { answers: { execute }, deadHosts: ['dead'] })
  t.is(await w.run('drpc-client', ...SERVERS), 2)
  t.is(await w.run('drpc-client', ...SERVERS, 'up'), 2)
  t.is(await w.run('drpc-client', 'up', 'a'), 1)
  t.regex(w.notes(), /drpc\.servers names no host/)
  t.is(await w.run('drpc-client', '-c', 'drpc.servers=["dead"]', 'up', 'a'), 1)
  t.regex(w.notes(), /dead:3772: nobody listens/)
  t.is(await w.run('drpc-client', ...SERVERS, 'up', 'a'), 1)
  t.regex(w.notes(), /DRPCExecutionException: Timed Out/)
})

test('drpc listens on the ports of storm.yaml until it is interrupted, and keeps its access list', async t => {
  let interrupt: () => void = () => undefined
  const interrupted = new Promise<void>(resolve => {
    interrupt = resolve
  })
  const w = await world(t, { env: {}, interrupted: () => interrupted })
  Object.assign(w.around.env, { STORM_CONF_DIR: w.dir })
  await writeFile(
    join(w.dir, 'storm.yaml'),
    'drpc.port: 0\ndrpc.invocations.port: 0\ndrpc.http.port: 0\ndrpc.disable.http.binding: false\n' +
      'drpc.authorizer: org.apache.storm.security.auth.authorizer.DRPCSimpleACLAuthorizer\n',
  )
  await writeFile(
    join(w.dir, 'drpc-auth-acl.yaml'),
    'drpc.authorizer.acl:\n  up: { client.users: [ada], invocation.user: storm }\n',
  )
  const ended = w.run('drpc')
  const says = /DRPC server at 127\.0\.0\.1: (\d+) for callers, \d+ for topologies, (\d+) for HTTP/
  const [, port, http] = await until('it listens', () => says.exec(w.notes()), 10_000)
  const client = await connectThrift({
    methods: drpcMethods,
    host: '127.0.0.1',
    port: Number(port),
  })
  await t.throwsAsync(client.call('execute', { functionName: 'up' }), { message: /not authorized/ })
  t.is((await fetch(`http://127.0.0.1:${http}/drpc/up`)).status, 403)
  client.close()
  interrupt()
  t.is(await ended, 0)
})

test('drpc refuses settings that it cannot keep', async t => {
  const w = await world(t)
  t.is(await w.run('drpc', '-c', 'drpc.port=many'), 1)
  t.regex(w.notes(), /drpc\.port is "many"/)
  const sasl = 'org.apache.storm.security.auth.digest.DigestSaslTransportPlugin'
  t.is(await w.run('drpc', '-c', `storm.thrift.transport=${sasl}`), 1)
  t.regex(w.notes(), /there is no java\.security\.auth\.login\.config/)
  t.is(await w.run('drpc', '-c', 'gearpump.drpc.use.tls=true'), 1)
  t.regex(w.notes(), /there are no keys/)
  t.is(await w.run('drpc', '-c', 'drpc.https.port=3775'), 1)
  t.regex(w.notes(), /a key store of type PKCS12 is needed/)
  t.is(await w.run('drpc', 'now'), 2)
})
