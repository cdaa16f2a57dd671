import { appendFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { BlobWriter } from '../../../src/cluster/blob-writer.ts'

let folder = ''

test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gear-writer-'))
})

test.afterEach.always(() => rm(folder, { recursive: true, force: true }))

function room() {
  let bytes = 0
  return {
    reserve: async (more: number) => {
      bytes += more
    },
    release: (less: number) => {
      bytes -= less
    },
    bytes: () => bytes,
  }
}

test.serial('a write that fails takes no room, and may be tried again', async t => {
  const taken = room()
  const writer = new BlobWriter(join(folder, 'later/x'), taken)
  await t.throwsAsync(writer.append(Buffer.from('abc')), { code: 'ENOENT' })
  t.is(taken.bytes(), 0)
  t.is(writer.sizeBytes, 0)
  await mkdir(join(folder, 'later'))
  await writer.append(Buffer.from('abc'))
  t.is(taken.bytes(), 3)
  await writer.discard()
  t.is(taken.bytes(), 0)
  t.deepEqual(await readdir(join(folder, 'later')), [])
})

test.serial('what a half-written chunk has left behind is cut off', async t => {
  const writer = new BlobWriter(join(folder, 'x'), room())
  await writer.append(Buffer.from('abc'))
  await appendFile(join(folder, 'x'), 'half')
  await writer.rest()
  await writer.append(Buffer.from('d'))
  await writer.commit(join(folder, 'y'))
  t.is(await readFile(join(folder, 'y'), 'utf8'), 'abcd')
  t.deepEqual(await readdir(folder), ['y'])
})
