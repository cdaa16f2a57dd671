import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { UserError } from '../../../src/base/errors.ts'
import { blobLimits } from '../../../src/cluster/blob-store.ts'
import { bundleLimits } from '../../../src/cluster/bundle.ts'
import { isLoopback } from '../../../src/cluster/loopback.ts'
import {
  checkExposure,
  describeSettings,
  loadSettings,
  resolveSettings,
} from '../../../src/cluster/settings.ts'
import { type HostFacts, type Setting, settingsTable } from '../../../src/cluster/settings-table.ts'
import { DEFAULT_LIMITS } from '../../../src/cluster/zip-format.ts'
import { settingsPage } from './_settings-page.ts'

const host: HostFacts = {
  cores: 8,
  memoryMb: 1000,
  hostName: 'node-7',
  homeDir: '/home/me',
  currentDir: '/here',
}

const table: Readonly<Record<string, Setting>> = settingsTable

function of(text: string, flags: Record<string, string | true> = {}) {
  return resolveSettings({ flags, host, file: { path: 'conf/gear.yaml', text } })
}

function problemsOf(text: string, flags: Record<string, string | true> = {}): string[] {
  try {
    of(text, flags)
  } catch (error) {
    return (error as UserError).problems.map(
      ({ place, message, hint }) => `${place}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
    )
  }
  return []
}

test('without a file, the defaults are those of the host', t => {
  const { values, sources } = resolveSettings({ host })
  t.like(values, {
    'host.name': 'node-7',
    'host.bind': '127.0.0.1',
    'host.dataDir': '/home/me/.gearpump',
    'worker.slots': 8,
    'worker.memoryMb': 800,
    'cluster.store': 'journal',
    'timeouts.unreachableMs': 5000,
  })
  t.is(sources['worker.slots'], 'default')
})

test('every default passes its own check, and every row is told', t => {
  const { values } = resolveSettings({ host })
  for (const [name, { min, max, default: fallback, defaultText, doc }] of Object.entries(table)) {
    const value = values[name as keyof typeof values]
    if (typeof value === 'number') t.true(value >= min! && value <= max!, name)
    if (typeof fallback === 'function') t.truthy(defaultText, name)
    t.regex(doc, /[^.]$/, name)
    t.notRegex(doc, /\|/, name)
  }
})

test('limits of bundles and stores come from the settings, in bytes', t => {
  const { values } = of('blobs: {files: 7, fileMb: 1, bundleMb: 2, storeMb: 3000}\n')
  t.deepEqual(bundleLimits(values), { files: 7, fileBytes: 1_048_576, totalBytes: 2_097_152 })
  t.deepEqual(blobLimits(values), { blobBytesMax: 2_097_152, totalBytesMax: 3_145_728_000 })
  t.deepEqual(bundleLimits(resolveSettings({ host }).values), DEFAULT_LIMITS)
})

test('flags win over the file, and the file over the defaults', t => {
  const { values, sources } = of('worker: {slots: 2, cpu: 1.5}\n', { 'worker.slots': '3' })
  t.is(values['worker.slots'], 3)
  t.is(values['worker.cpu'], 1.5)
  t.is(values['worker.memoryMb'], 800)
  t.is(sources['worker.slots'], '--worker.slots')
  t.is(sources['worker.cpu'], 'conf/gear.yaml:1:25')
})

test('sections may be nested or written with dots, and may be empty', t => {
  const { values } = of(
    'worker.slots: 2\nsecurity:\n  tls.ca: a\n  tls: {cert: b, key: c}\nhost:\n',
  )
  t.is(values['worker.slots'], 2)
  t.is(values['security.tls.cert'], '/here/conf/b')
})

test('each type is read from the file', t => {
  const { values } = of(`
cluster:
  name: 007
  masters: [a:1, "[::1]:2"]
  store: [https://x:2379]
host: {dataDir: data}
worker:
  labels: {disk: ssd, rack: 12}
  ports: [7000-7002, 9000]
scheduler:
  modules: {mine: ~/mine.mjs}
security: {insecure: true}
`)
  t.like(values, {
    'cluster.name': '007',
    'cluster.masters': ['a:1', '[::1]:2'],
    'cluster.store': ['https://x:2379'],
    'host.dataDir': '/here/conf/data',
    'worker.labels': { disk: 'ssd', rack: '12' },
    'worker.ports': [7000, 7001, 7002, 9000],
    'scheduler.modules': { mine: '/home/me/mine.mjs' },
    'security.insecure': true,
  })
})

test('each type is read from a flag', t => {
  const { values } = resolveSettings({
    host,
    flags: {
      'cluster.masters': 'a:1, b:2',
      'cluster.etcd': 'bin/etcd',
      'worker.labels': 'disk=ssd,note=a=b',
      'worker.ports': '7000-7001',
      'worker.cpu': '0.5',
      'security.insecure': true,
    },
  })
  t.like(values, {
    'cluster.masters': ['a:1', 'b:2'],
    'cluster.store': 'etcd',
    'cluster.etcd': '/here/bin/etcd',
    'worker.labels': { disk: 'ssd', note: 'a=b' },
    'worker.ports': [7000, 7001],
    'worker.cpu': 0.5,
    'security.insecure': true,
  })
})

test('all mistakes are told at once, with their places and the nearest names', t => {
  const text = `worker:
  slotz: 3
  cpu: many
  memoryMb: 1.5
  labels: [a]
  ports: [0]
clutser: {}
cluster:
  masters: [nowhere]
  leaseMs: 10
  store: jurnal
host: 3
security: {insecure: perhaps}
timeouts: {orphanMs: }
`
  t.deepEqual(problemsOf(text, { 'worker.slot': '1', 'worker.cpu': true, 'worker.slots': 'x' }), [
    'conf/gear.yaml:2:3: there is no setting worker.slotz (did you mean worker.slots?)',
    'conf/gear.yaml:3:8: worker.cpu must be a number from 0 to 100000 cores, not "many"',
    'conf/gear.yaml:4:13: worker.memoryMb must be a whole number from 0 to 1073741824 MB, not 1.5',
    'conf/gear.yaml:5:11: worker.labels must be names with values, such as {disk: ssd}',
    'conf/gear.yaml:6:11: worker.ports must be ports and ranges of ports, such as [7000-7099], at most 10000',
    'conf/gear.yaml:7:1: there is no setting clutser (docs/settings.md names all)',
    'conf/gear.yaml:9:13: cluster.masters nowhere: must be a list of host:port, such as [host1:3000, host2:3000]',
    'conf/gear.yaml:10:12: cluster.leaseMs must be a whole number from 1000 to 60000 ms, not 10',
    'conf/gear.yaml:11:10: cluster.store must be journal, etcd, or a list of URLs of an etcd',
    'conf/gear.yaml:12:7: host has settings below it, and no value of its own',
    'conf/gear.yaml:13:22: security.insecure must be true or false',
    'conf/gear.yaml:14:22: timeouts.orphanMs has no value: write one, or leave the line out',
    '--worker.slot: there is no setting worker.slot (did you mean worker.slots?)',
    '--worker.cpu: has no value: write one after it',
    '--worker.slots: worker.slots must be a whole number from 0 to 100000, not "x"',
  ])
})

test('a setting that stands there twice is a mistake', t => {
  t.deepEqual(problemsOf('worker: {slots: 1}\nworker.slots: 2\n'), [
    'conf/gear.yaml:2:1: worker.slots stands at conf/gear.yaml:1:17 already',
  ])
  t.is(problemsOf('worker: {slots: 1}\nworker: {cpu: 2}\n').length, 1)
  t.is(problemsOf('cluster: {masters: [a:1, a:1]}\n').length, 1)
})

test('values that are right one by one and wrong together are told', t => {
  t.deepEqual(problemsOf('security: {tls: {key: a}, token: 0123456789abcdef, tokenFile: f}\n'), [
    'conf/gear.yaml:1:23: security.tls.key is given without security.tls.ca and security.tls.cert (a process of the cluster needs all three)',
    'conf/gear.yaml:1:63: security.tokenFile is given beside security.token (leave one of them out)',
  ])
  t.regex(problemsOf('cluster: {store: journal, masters: [a:1, b:1, c:1]}')[0]!, /3 masters/)
  t.regex(problemsOf('', { 'timeouts.orphanMs': '10' })[0]!, /^--timeouts\.orphanMs: /)
})

test('a file that is no plain YAML is told where it is not', t => {
  t.regex(problemsOf('worker: [1, 2\n')[0]!, /^conf\/gear\.yaml:\d+:\d+: /)
  t.regex(problemsOf('just words\n')[0]!, /^conf\/gear\.yaml:1:1: the file must have names/)
  t.regex(problemsOf('a: &x 1\nworker: {slots: *x}\n').join('\n'), /:2:17: anchors and aliases/)
  t.regex(problemsOf(`worker: ${'['.repeat(60_000)}`)[0]!, /^conf\/gear\.yaml:/)
  t.regex(problemsOf(`# ${'x'.repeat(70_000)}`)[0]!, /more than 65536 characters/)
  t.deepEqual(problemsOf('# nothing\n'), [])
})

test('a secret is in no error and in no description', t => {
  const secret = 'hunter2hunter2hunter2'
  const told = describeSettings(
    of(
      `security: {token: ${secret}}\ncluster: {store: ["http://u:${secret}@x", "http://v:${secret}@y"]}\n`,
    ),
  )
  t.false(JSON.stringify(told).includes(secret))
  t.like(
    told.find(line => line.name === 'security.token'),
    { value: '(secret)', source: 'conf/gear.yaml:1:19' },
  )
  t.like(
    told.find(line => line.name === 'worker.slots'),
    { value: '8', source: 'default' },
  )
  const wrong = [
    ...problemsOf('security: {token: hunter2}\n'),
    ...problemsOf(`cluster: {store: ["ftp://u:${secret}@x"]}\n`),
    ...problemsOf(`security: {token: [${secret}]}\n`),
    ...problemsOf(`security: {token: a} ${secret}\n`),
    ...problemsOf(`security:\n  token: "a" "${secret}"\n`),
  ]
  // What YAML itself stumbles over.
  for (const start of ['*', '!', '&a !', '@', '%', '- ', '"\\', '{', '[', '|', '`', '"" '])
    wrong.push(...problemsOf(`security:\n  token: ${start}${secret}\n`))
  t.true(wrong.length >= 5 + 9, wrong.join('\n'))
  t.false(wrong.join('\n').includes('hunter2'), wrong.join('\n'))
})

test('a process does not listen to a network without TLS and a token, unless told so', t => {
  const tls = { 'security.tls.ca': 'a', 'security.tls.cert': 'b', 'security.tls.key': 'c' }
  const token = { 'security.token': '0123456789abcdef' }
  const bind = { 'host.bind': '0.0.0.0' }
  const check =
    (flags: Record<string, string | true>, role: 'master' | 'worker' = 'master') =>
    () =>
      checkExposure(resolveSettings({ flags, host }).values, role)
  t.throws(check(bind), { code: 'SECURITY_REQUIRED', message: /without TLS and a token/ })
  t.throws(check({ ...bind, ...tls }), { message: /without a token/ })
  t.throws(check({ ...bind, ...token }), { message: /without TLS / })
  t.throws(check({ ...bind, ...token }, 'worker'), { message: /without TLS / })
  t.notThrows(check({ ...bind, ...tls }, 'worker'), 'clients do not talk to workers')
  t.throws(check({ 'host.bind': 'example.org' }), { code: 'SECURITY_REQUIRED' })
  t.notThrows(check({ ...bind, ...tls, ...token }))
  t.notThrows(check({ ...bind, ...tls, 'security.tokenFile': 'f' }))
  t.notThrows(check({ ...bind, 'security.insecure': true }))
  t.notThrows(check({}))
})

test('only addresses of this host are loopback', t => {
  for (const bind of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) t.true(isLoopback(bind), bind)
  for (const bind of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', '', 'localhost.x'])
    t.false(isLoopback(bind), bind)
})

test('settings are loaded from a file, and a file that is not there is told', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'gear-settings-'))
  try {
    const path = join(folder, 'gear.yaml')
    await writeFile(path, 'worker: {slots: 5}\n')
    t.is((await loadSettings({ path })).values['worker.slots'], 5)
    t.true((await loadSettings({})).values['worker.slots'] > 0)
    const absent = loadSettings({ path: join(folder, 'absent.yaml') })
    await t.throwsAsync(absent, { code: 'FILE_NOT_FOUND', message: /absent\.yaml/ })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('docs/settings.md is what the table says (UPDATE_DOCS=1 writes it)', async t => {
  const page = new URL('../../../docs/settings.md', import.meta.url)
  if (process.env.UPDATE_DOCS === '1') await writeFile(page, settingsPage())
  t.is(await readFile(page, 'utf8'), settingsPage())
})
