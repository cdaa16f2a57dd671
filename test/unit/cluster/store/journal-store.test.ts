// A journal store in a real directory: commits, leadership over restarts, the lock, a disk that is full.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { realEnvironment } from '../../../../src/base/environment.ts'
import type { EngineError } from '../../../../src/base/errors.ts'
import { noLog } from '../../../../src/base/log.ts'
import { JournalStore } from '../../../../src/cluster/store/journal-store.ts'
import type { ClusterStore, Fence } from '../../../../src/cluster/store/store.ts'
import { testUnless } from '../../../real/parts.ts'

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const open = (directory: string, options = {}) =>
  JournalStore.open({ directory, environment: realEnvironment, log: noLog, ...options })

function leading(store: ClusterStore, told: string[] = []): Promise<Fence> {
  return new Promise(resolve => {
    store.stand({
      name: 'm1',
      address: 'here:1',
      ttlMs: 3000,
      onLead: fence => {
        told.push('lead')
        resolve(fence)
      },
      onLost: reason => told.push(`lost ${reason}`),
      onLeader: leader => told.push(`leader ${leader?.name}`),
      onRefused: error => told.push(error.code),
    })
  })
}

test('what was committed is there after a restart, and the fence has grown', async t => {
  const directory = folder(t)
  const first = await open(directory)
  const told: string[] = []
  const fence = await leading(first, told)
  const revision = await first.commit(fence, [
    { put: 'apps/1', value: 'one', ifRevision: 0 },
    { put: 'apps/2', value: 'two' },
  ])
  await first.commit(fence, [{ delete: 'apps/2' }])
  t.is((await first.leader())?.fence.revision, fence.revision)
  await first.close()
  t.deepEqual(told, ['lead', 'leader m1', 'lost it resigned', 'leader undefined'])
  const second = await open(directory)
  const later = await leading(second)
  t.true(later.revision > fence.revision)
  t.deepEqual(await second.list('apps/'), [{ key: 'apps/1', value: 'one', revision }])
  const old = await t.throwsAsync<EngineError>(second.commit(fence, []))
  t.is(old?.code, 'STORE_FENCED')
  await second.close()
})

test('commits made at once are applied in order, each sees the ones before it, readers see only what is durable', async t => {
  const store = await open(folder(t))
  const fence = await leading(store)
  const commits = Array.from({ length: 200 }, (_, i) =>
    store.commit(fence, [{ put: 'n', value: `${i}` }]),
  )
  t.is(await store.get('n'), undefined)
  const revisions = await Promise.all(commits)
  t.deepEqual(
    revisions,
    revisions.map((_, i) => revisions[0]! + i),
  )
  t.is((await store.get('n'))?.value, '199')
  const both = await Promise.allSettled([
    store.commit(fence, [{ put: 'x', value: 'first', ifRevision: 0 }]),
    store.commit(fence, [{ put: 'x', value: 'second', ifRevision: 0 }]),
  ])
  t.deepEqual(
    both.map(it => it.status),
    ['fulfilled', 'rejected'],
  )
  t.is((await store.get('x'))?.value, 'first')
  await store.close()
})

test('a journal that has grown becomes a snapshot', async t => {
  const directory = folder(t)
  const store = await open(directory, { compactBytes: 20_000 })
  const fence = await leading(store)
  for (let i = 0; i < 40; i++) {
    await store.commit(fence, [{ put: `k${i % 5}`, value: `${i}`.padEnd(1000) }])
  }
  t.true(statSync(join(directory, 'journal')).size < 30_000)
  t.true(statSync(join(directory, 'snapshot')).size > 1000)
  await store.close()
  const again = await open(directory)
  t.deepEqual(
    (await again.list('')).map(entry => entry.value.trim()),
    ['35', '36', '37', '38', '39'],
  )
  await again.close()
})

test('a second master on one directory is told who has it', async t => {
  const directory = folder(t)
  const store = await open(directory)
  const error = await t.throwsAsync<EngineError>(open(directory))
  t.is(error?.code, 'STORE_LOCKED')
  t.true(
    error!.message.includes(`${directory} is in use by process ${process.pid}`),
    error!.message,
  )
  await store.close()
  await (await open(directory)).close()
})

test('of many that start together at most one has the directory', async t => {
  const directory = folder(t)
  for (let round = 0; round < 5; round++) {
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => open(directory)))
    const stores = all.flatMap(it => (it.status === 'fulfilled' ? [it.value] : []))
    t.true(stores.length <= 1, `${stores.length}`)
    await Promise.all(stores.map(store => store.close()))
  }
  await (await open(directory)).close()
})

test('a path longer than a socket’s name can be is locked as well', async t => {
  const directory = join(folder(t), 'd'.repeat(120))
  mkdirSync(directory)
  const store = await open(directory)
  t.is((await t.throwsAsync<EngineError>(open(directory)))?.code, 'STORE_LOCKED')
  await store.close()
})

// A master in a process of its own; resolves when it has committed something.
async function owner(t: ExecutionContext, directory: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      `--import=${new URL('../../../register.mjs', import.meta.url)}`,
      new URL('./_journal-owner.ts', import.meta.url).pathname,
      directory,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', code => reject(new Error(`it ended with ${code}`)))
  })
  return child
}

const ended = (child: ChildProcess) => new Promise(resolve => child.once('exit', resolve))

test('the lock holds against a stopped owner, and falls when the owner is killed', async t => {
  const directory = folder(t)
  const child = await owner(t, directory)
  child.kill('SIGSTOP')
  const error = await t.throwsAsync<EngineError>(open(directory))
  t.is(error?.code, 'STORE_LOCKED')
  const end = ended(child)
  child.kill('SIGKILL')
  await end
  const store = await open(directory)
  t.is((await store.get('from'))?.value, 'child')
  t.is(readdirSync(directory).filter(name => name.startsWith('lock-')).length, 1)
  await store.close()
})

const tmpfs = process.platform === 'linux' && process.getuid?.() === 0 && canMount()

function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' })
    execFileSync('umount', [path])
    return true
  } catch {
    return false
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

const title = 'on a real full disk commits are refused, and go on when there is room'
const missing = tmpfs ? undefined : 'it needs root and mount'
testUnless(test, missing, title, async t => {
  const directory = folder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory])
  t.teardown(() => execFileSync('umount', [directory]))
  const store = await open(directory)
  const told: string[] = []
  const fence = await leading(store, told)
  const kept = await store.commit(fence, [{ put: 'kept', value: 'yes' }])
  writeFileSync(join(directory, 'ballast'), Buffer.alloc(128 * 1024))
  const large = [{ put: 'large', value: 'x'.repeat(200 * 1024) }]
  const error = await t.throwsAsync<EngineError>(store.commit(fence, large))
  t.is(error?.code, 'STORE_UNAVAILABLE')
  t.is(error?.message, `the disk of ${directory} is full`)
  t.is(error?.details.outcome, 'none')
  t.deepEqual(await store.get('kept'), { key: 'kept', value: 'yes', revision: kept })
  t.is(await store.get('large'), undefined)
  rmSync(join(directory, 'ballast'))
  await store.commit(fence, large)
  t.deepEqual(told, ['lead', 'leader m1'])
  await store.close()
  const again = await open(directory)
  t.is((await again.list('')).length, 2)
  await again.close()
})
