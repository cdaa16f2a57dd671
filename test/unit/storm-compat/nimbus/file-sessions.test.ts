// Uploads and downloads that are begun and never finished: what they leave, and whom they keep out.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { FileSessions } from '../../../../storm-compat/nimbus/file-sessions.ts'
import { Inbox } from '../../../../storm-compat/nimbus/inbox.ts'
import { ManualClock } from './_nimbus.ts'

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gearpump-sessions-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('uploads that rest make room for others when there are too many, the longest idle first', async t => {
  const dir = await folder(t)
  const clock = new ManualClock()
  const sessions = new FileSessions(clock, { fileBytes: 100, openBytes: 10_000 })
  t.teardown(() => sessions.close())
  const begin = (name: string) => sessions.beginUpload(join(dir, name), undefined, name)
  for (let i = 0; i < 64; i++) {
    await begin(`upload-${i}`)
    clock.move(1)
  }
  clock.move(25_000)
  await t.throwsAsync(begin('one-more'), { message: /64 uploads and downloads are under way/ })
  await sessions.append('upload-0', Buffer.from('still here'))
  clock.move(10_000)
  await begin('one-more')
  await t.throwsAsync(sessions.append('upload-1', Buffer.from('late')), {
    message: /there is no such upload or download, or it was idle too long/,
  })
  t.is((await sessions.finish('upload-0')).bytes, 10)
  t.false((await readdir(dir)).includes('upload-1'))
})

test('a chunk that cannot be written ends its upload: a file with a hole is never finished', async t => {
  const dir = await folder(t)
  const sessions = new FileSessions(new ManualClock(), { fileBytes: 100, openBytes: 10_000 })
  const id = await sessions.beginUpload(join(dir, 'upload'), undefined)
  // What no file takes, as a full disk would not.
  await t.throwsAsync(sessions.append(id, { length: 3 } as Uint8Array))
  await t.throwsAsync(sessions.finish(id), { message: /there is no such upload/ })
  t.deepEqual(await readdir(dir), [])
})

test('jars that are never submitted are bounded in number, however small they are', async t => {
  const dir = await folder(t)
  const inbox = new Inbox(dir, new ManualClock())
  const locations: string[] = []
  for (let i = 0; i < 1002; i++) {
    locations.push(await inbox.begin())
    await inbox.finish(locations[i]!)
  }
  t.deepEqual(
    locations.slice(0, 3).map(location => inbox.has(location)),
    [false, false, true],
  )
  t.is((await readdir(dir)).length, 1000)
})
