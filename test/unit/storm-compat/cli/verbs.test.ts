// Storm's verbs against a Nimbus in memory: what they call, what they print, how they end.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ThriftException } from '../../../../storm-compat/thrift/codec.ts'
import {
  AuthorizationException,
  KeyNotFoundException,
  NotAliveException,
} from '../../../../storm-compat/thrift/storm-exceptions.ts'
import { world } from './_surroundings.ts'

const notAlive = (name: string) => {
  throw new ThriftException(NotAliveException, { msg: `${name} is not alive` })
}

const summary = {
  id: 'wc-1-1700000000',
  name: 'wc',
  num_tasks: 8,
  num_executors: 8,
  num_workers: 1,
  uptime_secs: 42,
  status: 'ACTIVE',
}

test("list prints Storm's columns, or that nothing runs", async t => {
  const none = await world(t, { answers: { getTopologySummaries: [] } })
  t.is(await none.run('list'), 0)
  t.is(none.printed(), 'No topologies running.\n')
  const one = await world(t, { answers: { getTopologySummaries: [{ ...summary, owner: 'ann' }] } })
  t.is(await one.run('list'), 0)
  t.deepEqual(one.printed().split('\n'), [
    'Topology_name        Status     Num_tasks  Num_workers  Uptime_secs  Topology_Id          Owner               ',
    '----------------------------------------------------------------------------------------',
    'wc                   ACTIVE     8          1            42           wc-1-1700000000      ann                 ',
    '',
  ])
})

test('an older Nimbus is asked for its cluster, and an owner that is not known is null', async t => {
  const w = await world(t, { answers: { getClusterInfo: { topologies: [summary] } } })
  t.is(await w.run('list'), 0)
  t.regex(w.printed(), /wc-1-1700000000 {6}null/)
})

test('kill ends topologies in turn, with the wait that is given', async t => {
  const w = await world(t, { answers: { killTopologyWithOpts: undefined } })
  t.is(await w.run('kill', 'a', 'b', '-w', '0'), 0)
  t.deepEqual(
    w.calls.filter(call => call.name === 'killTopologyWithOpts').map(call => call.args),
    [
      { name: 'a', options: { wait_secs: 0 } },
      { name: 'b', options: { wait_secs: 0 } },
    ],
  )
  t.is(w.printed(), 'Killed topology: a\nKilled topology: b\n')
})

test('a topology that is not there stops kill with 1, but not with -i', async t => {
  const killTopologyWithOpts = ({ name }: { name: string }) =>
    name === 'gone' ? notAlive(name) : undefined
  const w = await world(t, { answers: { killTopologyWithOpts } })
  t.is(await w.run('kill', 'gone', 'b'), 1)
  t.is(w.printed(), '')
  t.is(w.notes(), 'storm: NotAliveException: gone is not alive\n')
  t.is(await w.run('kill', '-i', 'gone', 'b'), 1)
  t.is(w.printed(), 'Killed topology: b\n')
  t.regex(w.notes(), /failed to kill 1 of 2 topologies/)
})

test('wrong command lines are 2, and reach no Nimbus', async t => {
  const w = await world(t)
  const lines = [
    ['kill'],
    ['kill', 'a/b'],
    ['kill', 'a', '-w', '-1'],
    ['activate'],
    ['activate', 'a', 'b'],
    ['rebalance', 'wc', '-n', '0'],
    ['rebalance', 'wc', '-e', 'split'],
    ['rebalance', 'wc', '-t', 'no json'],
    ['rebalance', 'wc', '-r', '{"a":{"b":"c"}}'],
    ['set_log_level', 'wc', '-l', 'ROOT=LOUD'],
    ['upload-credentials', 'wc', 'name'],
    ['monitor', 'wc', '-w', 'acked'],
    ['blobstore'],
    ['blobstore', 'lst'],
    ['blobstore', 'create', 'a/b'],
    ['blobstore', 'create', 'k', '-a', 'x:y:z'],
    ['blobstore', 'replication', 'k'],
    ['blobstore', 'replication', 'k', '--update'],
    ['list', '--nimbus', 'x'],
  ]
  for (const line of lines) t.is(await w.run(...line), 2, line.join(' '))
  t.deepEqual(w.connections, [])
})

test('options of every verb may stand before it, as up to Storm 1.2', async t => {
  const w = await world(t, {
    answers: { getTopologySummaries: [summary], killTopologyWithOpts: undefined },
  })
  await writeFile(join(w.dir, 'other.yaml'), 'my.own: from the file\n')
  t.is(await w.run('-c', 'nimbus.host=elsewhere', '--config', 'other.yaml', 'list'), 0, w.notes())
  t.regex(w.printed(), /wc-1-1700000000/)
  t.is(await w.run('-c', 'a=1', 'kill', 'wc', '-w', '3'), 0, w.notes())
  t.deepEqual(w.calls.at(-1)!.args, { name: 'wc', options: { wait_secs: 3 } })
  t.is(await w.run('--config=other.yaml', 'localconfvalue', 'my.own'), 0, w.notes())
  t.regex(w.printed(), /my\.own: from the file/)
  t.is(await w.run('-c', 'a=1', 'blobstore', 'lst'), 2)
  t.regex(w.notes(), /did you mean "list"/)
  t.is(await w.run('-c', 'a=1', 'lsit'), 2)
  t.is(await w.run('-c', 'a=1'), 1)
  t.is(await w.run('-c'), 1)
})

test('activate, deactivate and rebalance call by name', async t => {
  const answers = { activate: undefined, deactivate: undefined, rebalance: undefined }
  const w = await world(t, { answers })
  t.is(await w.run('activate', 'wc'), 0)
  t.is(await w.run('deactivate', 'wc'), 0)
  const more = ['-t', '{"a":1,"b":2}', '-c', 'b=3', '-r', '{"split":{"cpu.pcore.percent":50}}']
  t.is(await w.run('rebalance', 'wc', '-w1', '-n', '4', '-e', 'split=2', '-e', 'a=b=3', ...more), 0)
  t.is(
    w.printed(),
    'Activated topology: wc\nDeactivated topology: wc\nTopology wc is rebalancing\n',
  )
  t.deepEqual(w.calls.at(-1), {
    name: 'rebalance',
    args: {
      name: 'wc',
      options: {
        wait_secs: 1,
        num_workers: 4,
        num_executors: new Map([
          ['split', 2],
          ['a=b', 3],
        ]),
        topology_resources_overrides: new Map([['split', new Map([['cpu.pcore.percent', 50]])]]),
        topology_conf_overrides: '{"a":1,"b":3}',
      },
    },
  })
})

test('rebalance without options asks for none', async t => {
  const w = await world(t, { answers: { rebalance: undefined } })
  t.is(await w.run('rebalance', 'wc'), 0)
  t.deepEqual(w.calls.at(-1)!.args, { name: 'wc', options: {} })
})

test('get-errors prints the latest error of each component as JSON; a missing topology is no failure', async t => {
  const info = {
    name: 'wc',
    errors: new Map([
      ['split', [{ error: 'newest' }, { error: 'older' }]],
      ['count', []],
    ]),
  }
  const w = await world(t, { answers: { getTopologyInfoByNameWithOpts: info } })
  t.is(await w.run('get-errors', 'wc'), 0)
  t.deepEqual(JSON.parse(w.printed()), {
    'Topology Name': 'wc',
    'Comp-Errors': { split: 'newest' },
  })
  const gone = await world(t, {
    answers: { getTopologyInfoByNameWithOpts: ({ name }: { name: string }) => notAlive(name) },
  })
  t.is(await gone.run('get-errors', 'wc'), 0)
  t.deepEqual(JSON.parse(gone.printed()), { Failure: 'No topologies running with name wc' })
})

test('set_log_level sends levels to the id of the topology', async t => {
  const answers = { getTopologySummaries: [summary], setLogConfig: undefined }
  const w = await world(t, { answers })
  t.is(await w.run('set_log_level', 'wc', '-l', 'ROOT=debug:30', '-l', 'a.b=WARN', '-r', 'c'), 0)
  t.deepEqual(w.calls.at(-1)!.args, {
    name: 'wc-1-1700000000',
    config: {
      named_logger_level: new Map([
        ['ROOT', { action: 'UPDATE', target_log_level: 'DEBUG', reset_log_level_timeout_secs: 30 }],
        ['a.b', { action: 'UPDATE', target_log_level: 'WARN', reset_log_level_timeout_secs: 0 }],
        ['c', { action: 'REMOVE' }],
      ]),
    },
  })
  t.is(await w.run('set_log_level', 'other', '-l', 'ROOT=INFO'), 1)
  t.regex(w.notes(), /other is not a running topology/)
})

test('credentials come from a file and the command line, and are not shown', async t => {
  const w = await world(t, { answers: { uploadNewCredentials: undefined } })
  const file = join(w.dir, 'creds.properties')
  await writeFile(file, 'user=ann\ntoken: s3cret\n')
  t.is(await w.run('upload-credentials', 'wc', '-f', file, 'user', 'bob', '-u', 'owner'), 0)
  t.deepEqual(w.calls.at(-1)!.args, {
    name: 'wc',
    creds: {
      creds: new Map([
        ['user', 'bob'],
        ['token', 's3cret'],
      ]),
      topoOwner: 'owner',
    },
  })
  t.is(w.printed(), 'Uploaded new creds to topology: wc\n')
  t.is(await w.run('upload-credentials', 'wc', '-e'), 1)
  t.is(await w.run('upload-credentials', 'wc', '-f', join(w.dir, 'none')), 1)
  t.notRegex(w.notes(), /s3cret/)
})

test('monitor lists the components, then follows one of them until it is gone', async t => {
  let polls = 0
  const executor = (component: string, emitted: bigint) => ({
    component_id: component,
    stats: { emitted: new Map([[':all-time', new Map([['default', emitted]])]]) },
  })
  const getTopologyInfoByNameWithOpts = () => {
    polls++
    const total = BigInt(polls) * 1000n
    const executors = polls > 4 ? [] : [executor('split', total), executor('split', total)]
    return { executors: [...executors, executor('count', 5n)] }
  }
  const w = await world(t, { answers: { getTopologyInfoByNameWithOpts } })
  t.is(await w.run('monitor', 'wc'), 0)
  t.regex(w.printed(), /Available components for wc :\n-{18}\nsplit\ncount\n-{18}\nPlease use -m/)
  t.is(await w.run('monitor', 'wc', '-m', 'split', '-i', '2'), 1)
  const lines = w.printed().split('\n').slice(6)
  t.is(
    lines[0],
    'topology\tcomponent\tparallelism\tstream\ttime-diff ms\temitted\tthroughput (Kt/s)',
  )
  t.is(lines[1], 'wc\tsplit\t2\tdefault\t0\t4000\t0.0')
  t.is(lines[2], 'wc\tsplit\t2\tdefault\t2000\t2000\t1.0')
  t.regex(w.notes(), /component: split not found/)
  t.is(await w.run('monitor', 'wc', '-m', 'count', '-s', 'side'), 1)
  t.regex(w.notes(), /stream: side not found/)
})

const acl = [
  { type: 'USER', name: 'ann', access: 7 },
  { type: 'OTHER', name: '', access: 1 },
]

test('blobs are listed by pages, and a missing one that was asked for is told', async t => {
  const pages = [['a', 'b'], ['c'], []]
  const w = await world(t, {
    answers: {
      listBlobs: () => ({ keys: pages.shift(), session: 's' }),
      getBlobMeta: ({ key }: { key: string }) => {
        if (key === 'b') throw new ThriftException(AuthorizationException, { msg: 'no' })
        if (key === 'x') throw new ThriftException(KeyNotFoundException, { msg: 'no' })
        return { version: 3n, settable: { acl } }
      },
    },
  })
  t.is(await w.run('blobstore', 'list'), 0)
  t.is(w.printed(), 'a 3 [u:ann:rwa, o::r--]\nc 3 [u:ann:rwa, o::r--]\n')
  t.is(w.notes(), '')
  t.is(await w.run('blobstore', 'list', 'x', 'b'), 0)
  t.is(w.notes(), 'storm: x: NOT FOUND\nstorm: b: ACCESS DENIED\n')
})

test('a blob is created from stdin, updated from a file, and read into one', async t => {
  const chunks: number[] = []
  const w = await world(t, {
    stdin: [Buffer.alloc(700_000, 1)],
    answers: {
      beginCreateBlob: 'session',
      beginUpdateBlob: 'session',
      uploadBlobChunk: ({ chunk }: { chunk: Buffer }) => void chunks.push(chunk.length),
      finishBlobUpload: undefined,
      beginBlobDownload: { session: 'read' },
      downloadBlobChunk: () => parts.shift() ?? Buffer.alloc(0),
    },
  })
  t.is(await w.run('blobstore', 'create', 'k', '-a', 'u:ann:rwa,bob:rw,r', '-r', '2'), 0)
  t.deepEqual(chunks, [307_200, 307_200, 85_600])
  t.deepEqual(w.calls.find(call => call.name === 'beginCreateBlob')!.args, {
    key: 'k',
    meta: {
      acl: [
        { type: 'USER', name: 'ann', access: 7 },
        { type: 'USER', name: 'bob', access: 3 },
        { type: 'OTHER', name: '', access: 1 },
      ],
      replication_factor: 2,
    },
  })
  const file = join(w.dir, 'blob')
  await writeFile(file, 'text')
  t.is(await w.run('blobstore', 'update', 'k', '-f', file), 0)
  t.is(chunks.at(-1), 4)
  const parts = [Buffer.from('one '), Buffer.from('two')]
  t.is(await w.run('blobstore', 'cat', 'k', '-f', file), 0)
  t.is(await readFile(file, 'utf8'), 'one two')
  parts.push(Buffer.from('to stdout'))
  t.is(await w.run('blobstore', 'cat', 'k'), 0)
  t.is(w.printed(), 'Successfully created k\nSuccessfully updated k\nto stdout')
})

test('an upload that fails is taken back', async t => {
  const uploadBlobChunk = () => {
    throw new ThriftException(AuthorizationException, { msg: 'full' })
  }
  const answers = { beginUpdateBlob: 'session', uploadBlobChunk, cancelBlobUpload: undefined }
  const w = await world(t, { stdin: [Buffer.from('x')], answers })
  t.is(await w.run('blobstore', 'update', 'k'), 1)
  t.deepEqual(w.calls.at(-1), { name: 'cancelBlobUpload', args: { session: 'session' } })
  t.is(w.notes(), 'storm: AuthorizationException: full\n')
})

test('blobs are deleted, and their rights and copies set and told', async t => {
  const w = await world(t, {
    answers: {
      deleteBlob: undefined,
      getBlobMeta: { version: 1n, settable: { acl } },
      setBlobMeta: undefined,
      getBlobReplication: 1,
      updateBlobReplication: 3,
    },
  })
  t.is(await w.run('blobstore', 'delete', 'a', 'b'), 0)
  t.is(await w.run('blobstore', 'set-acl', 'a', '-s', 'o::rwa'), 0)
  t.is(await w.run('blobstore', 'set-acl', 'a'), 0)
  t.is(await w.run('blobstore', 'replication', 'a', '--read'), 0)
  t.is(await w.run('blobstore', 'replication', '--update', 'a', '-r', '3'), 0)
  t.deepEqual(w.printed().split('\n'), [
    'deleted a',
    'deleted b',
    'Setting ACL for a to [o::rwa]',
    'Setting ACL for a to [u:ann:rwa, o::r--]',
    'Current replication factor 1',
    'Replication factor is set to 3',
    '',
  ])
})

test('verbs of daemons say what is used instead, with 2', async t => {
  const w = await world(t)
  for (const verb of ['supervisor', 'dev-zookeeper', 'kill_workers']) {
    t.is(await w.run(verb), 2, verb)
    t.regex(w.notes(), new RegExp(`"storm ${verb}" does nothing here: \\w`))
  }
})

test('storm nimbus is a gateway of gear, with what storm.yaml and the command line say', async t => {
  const w = await world(t)
  t.is(await w.run('nimbus', '--masters', 'a:1,b:2', '--gateway.bind', '0.0.0.0'), 7)
  t.deepEqual(w.gearCalls.at(-1), [
    ...['gateway', '--thrift-port', '6627', '--master', 'a:1,b:2'],
    ...['--gateway.bind', '0.0.0.0'],
  ])
  const conf = ['-c', 'gearpump.masters=["m:1","n:2"]', '-c', 'nimbus.thrift.port=0']
  await w.run('nimbus', ...conf, '-c', 'gearpump.settings=gear.yaml', '--security.insecure')
  t.deepEqual(w.gearCalls.at(-1), [
    ...['gateway', '--thrift-port', '0', '--master', 'm:1,n:2', '--config', 'gear.yaml'],
    '--security.insecure',
  ])
  t.is(await w.run('nimbus', '--mastres', 'a:1'), 2)
  t.regex(w.notes(), /no option --mastres; did you mean --masters/)
})
