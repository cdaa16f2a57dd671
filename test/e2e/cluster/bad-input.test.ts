// What a cluster is given that is wrong: each is told clearly where it happened, and nothing that was there is lost.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connect } from 'gearpump'
import { oneMaster, submission } from '../../chaos/master-door.ts'
import { startEtcd } from '../../real/etcd.ts'
import { realTest } from '../../real/parts.ts'
import { diskTest } from '../../real/tmpfs.ts'
import { certificates } from './certificates.ts'
import { loopbackHosts } from './hand-cluster.ts'
import { GearProcess, gear, privateDirectory } from './processes.ts'

const PORT = '3000'
const DISK_MB = 4

function master(t: ExecutionContext, address: string, dataDir: string, ...more: string[]) {
  const run = new GearProcess([
    ...['master', '--ip', address, '--port', PORT, '--host.dataDir', dataDir, ...more],
  ])
  t.teardown(() => run.end())
  return run
}

/** A master with a journal that leads. */
async function leading(t: ExecutionContext, dataDir: string, ...more: string[]) {
  const { address } = loopbackHosts(1)[0]!
  const run = master(t, address, dataDir, ...more)
  await run.says(/ leads, with/)
  return { run, masters: [`${address}:${PORT}`], address: `${address}:${PORT}` }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: { code: string; message: string }) => error,
  )

realTest(
  test,
  ['etcd'],
  'the second of two masters of one name says so and ends',
  async (t, [etcd]) => {
    const directory = privateDirectory(t)
    const store = await startEtcd(etcd.program!)
    t.teardown(() => store.stop())
    const [name, elsewhere] = loopbackHosts(2).map(host => host.address) as [string, string]
    const more = ['--cluster.store', store.endpoints[0]!]
    const first = master(t, name, join(directory, '1'), ...more)
    await first.says(/ leads, with/)
    const second = master(t, name, join(directory, '2'), '--host.bind', elsewhere, ...more)
    t.is(await second.exited, 1)
    t.regex(second.output, /MASTER_NAME_TAKEN|name/)
    t.log(second.output.trim())
    t.is((await gear('app', 'list', '--master', `${name}:${PORT}`)).exit, 0)
  },
)

test('a bundle that came in half is not there, an altered one is refused, and the right one is taken', async t => {
  const { address } = await leading(t, privateDirectory(t))
  const direct = oneMaster(address)
  t.teardown(() => direct.close())
  const bytes = randomBytes(100_000)
  const blob = { hash: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
  const wanted = { ...submission('bundled'), bundle: blob }

  t.is(await direct.door.ask('writeBlob', blob, 0, bytes.subarray(0, 50_000)), 50_000)
  const half = await codeOf(direct.door.ask('submit', wanted))
  t.is(half?.code, 'BLOB_NOT_FOUND')
  t.log(half?.message)

  const altered = Buffer.from(bytes)
  altered[70_000]! ^= 1
  const refused = await codeOf(direct.door.ask('writeBlob', blob, 50_000, altered.subarray(50_000)))
  t.regex(refused?.code ?? '', /BUNDLE_CORRUPT|BLOB_FETCH_FAILED/)
  t.log(refused?.message)
  t.is((await codeOf(direct.door.ask('submit', wanted)))?.code, 'BLOB_NOT_FOUND')

  t.is(await direct.door.ask('writeBlob', blob, 0, bytes), bytes.length)
  t.is(await direct.door.ask('submit', wanted), 1)
})

test('a zip that was cut in half is not sent', async t => {
  const directory = privateDirectory(t)
  const { masters } = await leading(t, join(directory, 'data'))
  const cluster = await connect({ masters })
  t.teardown(() => cluster.close())
  const zip = join(directory, 'app.zip')
  // The signature of a zip, and no directory at its end.
  writeFileSync(zip, Buffer.concat([Buffer.from('PK\u0003\u0004'), randomBytes(5000)]))
  const run = await gear('app', 'run', zip, '--master', masters[0]!)
  t.not(run.exit, 0)
  t.regex(run.output, /app\.zip/)
  t.log(run.output.trim())
  t.deepEqual(await cluster.list(), [])
})

test('a wrong token is refused by a cluster with TLS, the right one is not', async t => {
  const directory = privateDirectory(t)
  const { address } = loopbackHosts(1)[0]!
  const { ca, cert, key } = certificates(directory, [address])
  const token = 'a token of sufficient length'
  const tls = ['--security.tls.ca', ca, '--security.tls.cert', cert, '--security.tls.key', key]
  const run = master(t, address, join(directory, 'data'), ...tls, '--security.token', token)
  await run.says(/ leads, with/)
  const list = ['app', 'list', '--master', `${address}:${PORT}`]
  const settings = join(directory, 'client.yaml')
  const files = `security.tls: {ca: ${ca}, cert: ${cert}, key: ${key}}\n`
  writeFileSync(settings, `${files}security.token: ${token}\n`)
  const right = await gear(...list, '--settings', settings)
  t.is(right.exit, 0, right.output)
  writeFileSync(settings, `${files}security.token: no token that is known\n`)
  const wrong = await gear(...list, '--settings', settings)
  t.is(wrong.exit, 1)
  t.regex(wrong.output, /token/)
  t.notRegex(wrong.output, /no token that is known/)
  t.log(wrong.output.trim())
  const plain = await gear(...list)
  t.is(plain.exit, 1)
  t.log(plain.output.trim())
})

diskTest(
  test,
  'a full disk: a submit is refused, and taken when there is room again',
  async (t, mount) => {
    const small = mount(DISK_MB * 1024)
    const { address } = await leading(t, join(small, 'data'))
    const direct = oneMaster(address)
    t.teardown(() => direct.close())
    t.is(await direct.door.ask('submit', submission('before')), 1)

    fill(join(small, 'filler'), small)
    // Whatever room the journal has kept for itself is used up at some time.
    let refused: { code: string; message: string } | undefined
    for (let i = 0; i < 10_000 && refused === undefined; i++)
      refused = await codeOf(direct.door.ask('submit', submission(`while-full-${i}`)))
    t.is(refused?.code, 'STORE_UNAVAILABLE')
    t.regex(refused?.message ?? '', /ENOSPC|no space|full/)
    t.log(refused?.message)

    rmSync(join(small, 'filler'))
    const cluster = await connect({ masters: [address] })
    t.teardown(() => cluster.close())
    const before = await cluster.list()
    t.is(before[0]?.name, 'before')
    const after = await direct.door.within(30_000).ask('submit', submission('after'))
    t.true(after > before.length)
  },
)

function fill(file: string, directory: string): void {
  const { bavail, bsize } = statfsSync(directory)
  writeFileSync(file, Buffer.alloc(Number(bavail) * Number(bsize), 1))
}

test('a journal that is damaged in its middle is not used and not touched; mended, all is there', async t => {
  const directory = privateDirectory(t)
  const { run, masters } = await leading(t, directory)
  const direct = oneMaster(masters[0]!)
  for (let i = 0; i < 20; i++) await direct.door.ask('submit', submission(`app-${i}`))
  await direct.close()
  await run.end()

  const journal = join(directory, `master-${PORT}`, 'store', 'journal')
  const good = readFileSync(journal)
  const bad = Buffer.from(good)
  bad[Math.floor(bad.length / 2)]! ^= 0xff
  writeFileSync(journal, bad)
  const address = masters[0]!.split(':')[0]!
  const damaged = master(t, address, directory)
  t.is(await damaged.exited, 1)
  t.regex(damaged.output, /journal.*byte|damaged/)
  t.log(damaged.output.trim())
  t.deepEqual(readFileSync(journal), bad)

  writeFileSync(journal, good)
  const mended = master(t, address, directory)
  await mended.says(/ leads, with 20 applications/)
  const cluster = await connect({ masters })
  t.teardown(() => cluster.close())
  t.is((await cluster.list()).length, 20)
})

test('a journal whose end was cut off by a crash is used up to there', async t => {
  const directory = privateDirectory(t)
  const { run, masters } = await leading(t, directory)
  const direct = oneMaster(masters[0]!)
  for (let i = 0; i < 5; i++) await direct.door.ask('submit', submission(`app-${i}`))
  await direct.close()
  run.child.kill('SIGKILL')
  await run.exited
  const journal = join(directory, `master-${PORT}`, 'store', 'journal')
  const whole = readFileSync(journal)
  // Half of a record that was being written when the machine lost its power.
  writeFileSync(journal, Buffer.concat([whole, whole.subarray(0, 20)]))
  const again = master(t, masters[0]!.split(':')[0]!, directory)
  await again.says(/ leads, with 5 applications/)
  t.pass()
})
