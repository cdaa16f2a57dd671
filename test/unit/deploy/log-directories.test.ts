// Log directories of a worker are bounded; those of what runs are never removed.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { LogDirectories } from '../../../src/deploy/log-directories.ts'

let directory = ''

test.beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gear-logs-'))
})

test.afterEach.always(() => rm(directory, { recursive: true, force: true }))

const failed = (reason: string): never => {
  throw new Error(reason)
}

test.serial('the newest of ended applications are kept, and all that run', async t => {
  const logs = new LogDirectories({ directory, kept: 2, onFailure: failed })
  await mkdir(join(directory, 'not-ours'))
  for (const app of [2, 9, 10, 11, 12]) await mkdir(logs.begun(app, 'words'))
  for (const app of [9, 10, 11, 12]) await logs.ended(app)
  const kept = ['11-words', '12-words', '2-words', 'not-ours']
  t.deepEqual((await readdir(directory)).sort(), kept)
})

test.serial('an application has ended when its last process here has', async t => {
  const logs = new LogDirectories({ directory, kept: 0, onFailure: failed })
  await mkdir(logs.begun(1, 'words'))
  logs.begun(1, 'words')
  await logs.ended(1)
  t.deepEqual(await readdir(directory), ['1-words'])
  await logs.ended(1)
  t.deepEqual(await readdir(directory), [])
})

test.serial('what cannot be removed is told, and nothing else comes of it', async t => {
  const reasons: string[] = []
  const missing = join(directory, 'missing')
  const onFailure = (reason: string) => void reasons.push(reason)
  const logs = new LogDirectories({ directory: missing, kept: 0, onFailure })
  logs.begun(1, 'words')
  await logs.ended(1)
  t.regex(reasons[0]!, /ENOENT/)
})
