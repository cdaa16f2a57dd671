import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { GearNotes } from '../../../../src/client/gear.ts'
import { localNotes } from '../../../../storm-compat/nimbus/local-notes.ts'
import { nimbusFor } from './_nimbus.ts'

const acl = [{ type: 'OTHER', access: 7 }] as const
const meta = { acl }

test('a blob is created, read in chunks, updated under a new version, and deleted', async t => {
  const { client } = await nimbusFor(t)
  const content = Buffer.alloc(700_000, 'abc')
  const create = async (key: string, bytes: Buffer) => {
    const session = await client.call('beginCreateBlob', { key, meta })
    await client.call('uploadBlobChunk', { session, chunk: bytes.subarray(0, 5) })
    await client.call('uploadBlobChunk', { session, chunk: bytes.subarray(5) })
    await client.call('finishBlobUpload', { session })
  }
  const read = async (key: string) => {
    const { session, data_size } = await client.call('beginBlobDownload', { key })
    const chunks: Uint8Array[] = []
    for (;;) {
      const chunk = await client.call('downloadBlobChunk', { session })
      if (chunk.length === 0) break
      chunks.push(chunk)
    }
    const all = Buffer.concat(chunks)
    t.is(data_size, BigInt(all.length))
    return all
  }
  await create('dep-a.jar', content)
  await client.call('createStateInZookeeper', { key: 'dep-a.jar' })
  t.true(content.equals(await read('dep-a.jar')))
  const before = await client.call('getBlobMeta', { key: 'dep-a.jar' })
  t.deepEqual(before.settable.acl, [{ type: 'OTHER', access: 7 }])

  const session = await client.call('beginUpdateBlob', { key: 'dep-a.jar' })
  await client.call('uploadBlobChunk', { session, chunk: Buffer.from('new') })
  t.true(content.equals(await read('dep-a.jar')), 'an update is seen when it is finished')
  await client.call('finishBlobUpload', { session })
  t.deepEqual((await read('dep-a.jar')).toString(), 'new')
  const after = await client.call('getBlobMeta', { key: 'dep-a.jar' })
  t.true(after.version > before.version)
  t.deepEqual(after.settable, before.settable)

  await client.call('deleteBlob', { key: 'dep-a.jar' })
  t.false(await client.call('isRemoteBlobExists', { blobKey: 'dep-a.jar' }))
  await t.throwsAsync(client.call('beginBlobDownload', { key: 'dep-a.jar' }), {
    name: 'KeyNotFoundException',
  })
})

test('a key is taken once, also when two clients create it at a time', async t => {
  const { client } = await nimbusFor(t)
  const one = await client.call('beginCreateBlob', { key: 'k', meta })
  const two = await client.call('beginCreateBlob', { key: 'k', meta })
  await client.call('finishBlobUpload', { session: one })
  const taken = { name: 'KeyAlreadyExistsException' }
  // finishBlobUpload declares no such exception, so the words come as an application exception.
  await t.throwsAsync(client.call('finishBlobUpload', { session: two }), {
    message: /a blob k exists/,
  })
  await t.throwsAsync(client.call('beginCreateBlob', { key: 'k', meta }), taken)
})

test('keys that could be paths are refused, and an upload can be given up', async t => {
  const { client } = await nimbusFor(t)
  for (const key of ['../a', 'a/b', '', 'a'.repeat(300)]) {
    await t.throwsAsync(client.call('beginCreateBlob', { key, meta }), {
      message: /not a valid key/,
    })
  }
  const session = await client.call('beginCreateBlob', { key: 'k', meta })
  await client.call('cancelBlobUpload', { session })
  await t.throwsAsync(client.call('finishBlobUpload', { session }), { message: /no such upload/ })
  t.false(await client.call('isRemoteBlobExists', { blobKey: 'k' }))
})

test('blobs are listed page by page until an empty page; replication and access lists are kept', async t => {
  const { client } = await nimbusFor(t)
  const keys = Array.from({ length: 105 }, (_, i) => `k${String(i).padStart(3, '0')}`)
  for (const key of keys) {
    const session = await client.call('beginCreateBlob', { key, meta })
    await client.call('finishBlobUpload', { session })
  }
  const seen: string[] = []
  for (let session = ''; ; ) {
    const page = await client.call('listBlobs', { session })
    if (page.keys.length === 0) break
    seen.push(...page.keys)
    session = page.session
  }
  t.deepEqual(seen, keys)
  t.is(await client.call('getBlobReplication', { key: 'k001' }), 1)
  t.is(await client.call('updateBlobReplication', { key: 'k001', replication: 3 }), 3)
  t.is(await client.call('getBlobReplication', { key: 'k001' }), 3)
  await client.call('setBlobMeta', { key: 'k001', meta: { acl: [] } })
  t.deepEqual((await client.call('getBlobMeta', { key: 'k001' })).settable, { acl: [] })
})

test('one blob is looked up alone, and an upload that is refused at its end leaves nothing', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'gearpump-blobs-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const kept = localNotes(dir)
  let listed = 0
  const notes: GearNotes = {
    list: async prefix => {
      const found = await kept.list(prefix)
      if (prefix.startsWith('storm/blobs/')) listed += found.length
      return found
    },
    write: (name, text, blobs) => kept.write(name, text, blobs),
    remove: name => kept.remove(name),
    upload: file => kept.upload(file),
    download: (blob, file) => kept.download(blob, file),
  }
  const { client } = await nimbusFor(t, { notes })
  const begin = (key: string) => client.call('beginCreateBlob', { key, meta })
  const fill = async (session: string, text: string) => {
    await client.call('uploadBlobChunk', { session, chunk: Buffer.from(text) })
    await client.call('finishBlobUpload', { session })
  }
  const [one, two] = [await begin('k'), await begin('k')]
  await fill(one, 'first')
  await t.throwsAsync(fill(two, 'second'), { message: /a blob k exists/ })
  t.is((await readdir(dir)).length, 1, 'the content of the second is not kept')
  for (let i = 0; i < 20; i++) await fill(await begin(`other-${i}`), String(i))
  listed = 0
  await client.call('getBlobMeta', { key: 'k' })
  t.is(listed, 1)
})
