// Room for blobs: the oldest that nothing uses goes, and nothing that is in use ever does.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import { type BlobStore, openBlobStore } from '../../../src/cluster/blob-store.ts'
import { BlobClaims, useOfApplications } from '../../../src/cluster/blob-use.ts'
import type { AppRecord, AppStatus } from '../../../src/cluster/messages.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'
import '../seed.ts'

let top = ''
let folders = 0

test.before(async () => {
  top = await mkdtemp(join(tmpdir(), 'gear-room-'))
})

test.after.always(() => rm(top, { recursive: true, force: true }))

const TOTAL = 1000
const limits = { blobBytesMax: TOTAL, totalBytesMax: TOTAL }
const fresh = () => join(top, `room-${folders++}`)
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function blobOf(number: number, sizeBytes: number): { hash: string; bytes: Buffer } {
  const bytes = Buffer.alloc(sizeBytes, number)
  return { hash: hashOf(bytes), bytes }
}

function put(blobs: BlobStore, { hash, bytes }: { hash: string; bytes: Buffer }): Promise<void> {
  const half = bytes.length >> 1
  return blobs.put(Readable.from([bytes.subarray(0, half), bytes.subarray(half)]), hash)
}

test('the oldest blob goes first, also after the store was opened again', async t => {
  const directory = fresh()
  const first = await openBlobStore(directory, limits)
  const [a, b, c, d] = [1, 2, 3, 4].map(number => blobOf(number, 400))
  await put(first, a!)
  await put(first, b!)
  await utimes(first.pathOf(b!.hash), 1, 1)
  const opened = await openBlobStore(directory, limits, { inUse: async () => () => false })
  await put(opened, c!)
  t.deepEqual((await readdir(directory)).sort(), [a!.hash, c!.hash].sort())
  await put(opened, d!)
  t.deepEqual((await readdir(directory)).sort(), [c!.hash, d!.hash].sort())
  t.is(opened.usedBytes, 800)
})

test('what is in use is kept, and a blob without room is refused with a hint', async t => {
  const blobs = await openBlobStore(fresh(), limits, { inUse: async () => () => true })
  await put(blobs, blobOf(1, 600))
  const refused = await t.throwsAsync(put(blobs, blobOf(2, 600)), { code: 'BLOB_STORE_FULL' })
  t.regex(String((refused as unknown as { hint: string }).hint), /kill applications/)
  t.is(blobs.usedBytes, 600)
})

test('when it cannot be told what is in use nothing is removed', async t => {
  const inUse = () => Promise.reject(new Error('no answer'))
  const blobs = await openBlobStore(fresh(), limits, { inUse })
  await put(blobs, blobOf(1, 600))
  await t.throwsAsync(put(blobs, blobOf(2, 600)), { message: 'no answer' })
  t.true(blobs.has(blobOf(1, 600).hash))
})

test('nothing in use is ever removed, and there is room whenever what is unused would give it', async t => {
  const draw = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 }),
    // Which of those that came so far are used when each batch comes.
    used: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
    batch: fc.integer({ min: 1, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(draw, async ({ sizes, used, batch }) => {
      const inUse = new Set<string>()
      const removed: string[] = []
      const blobs = await openBlobStore(fresh(), limits, {
        inUse: async () => hash => inUse.has(hash),
        onRemove: async hash => {
          if (inUse.has(hash)) removed.push(hash)
        },
      })
      const all = sizes.map((size, number) => blobOf(number, size))
      for (let at = 0; at < all.length; at += batch) {
        const coming = all.slice(at, at + batch)
        inUse.clear()
        for (const [i, { hash }] of all.slice(0, at).entries())
          if (used[(at + i) % used.length] === true && blobs.has(hash)) inUse.add(hash)
        const kept = all.filter(({ hash }) => inUse.has(hash))
        const bytesOf = (some: typeof all) => some.reduce((sum, { bytes }) => sum + bytes.length, 0)
        const results = await Promise.allSettled(coming.map(blob => put(blobs, blob)))
        t.deepEqual(removed, [])
        for (const { hash } of kept) t.true(blobs.has(hash))
        t.true(blobs.usedBytes <= TOTAL)
        t.is(
          blobs.usedBytes,
          blobs.list().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        )
        // What comes at the same time may be removed for another, once it is whole.
        if (bytesOf(kept) + bytesOf(coming) <= TOTAL)
          t.true(results.every(({ status }) => status === 'fulfilled'))
      }
    }),
    { numRuns: 60 },
  )
})

// ---- what a master's applications use

function recordOf(id: number, status: AppStatus, hashes: readonly string[]): AppRecord {
  const bundle = { hash: hashes[0]!, sizeBytes: 1 }
  const versions = hashes.map((hash, i) => ({
    ...{ version: i + 1, timeMs: 0, code: {} },
    bundle: { hash, sizeBytes: 1 },
  }))
  return { id, status, submission: { bundle }, versions } as unknown as AppRecord
}

function storeOf(records: readonly AppRecord[]) {
  const entries = records.map(record => ({
    key: `apps/${record.id}`,
    value: JSON.stringify(record),
    revision: 1,
  }))
  return { list: async (prefix: string) => entries.filter(({ key }) => key.startsWith(prefix)) }
}

test('in use are the bundles of applications that are not over, of any version', async t => {
  const records = [
    recordOf(1, 'starting', ['a']),
    recordOf(2, 'inactive', ['b', 'c']),
    recordOf(3, 'failed', ['d']),
    recordOf(4, 'stopped', ['e']),
    recordOf(5, 'stopped', ['a']),
  ]
  const claims = new BlobClaims(new ManualEnvironment())
  const isUsed = await useOfApplications(storeOf(records), claims).inUse()
  t.deepEqual([...'abcde'].filter(isUsed), ['a', 'b', 'c'])
})

test('what has just come is in use until its application can have been written, and no longer', async t => {
  const environment = new ManualEnvironment()
  const claims = new BlobClaims(environment)
  claims.claim({ hash: 'a' }, 10_000)
  // Claimed after the store was read, and before the look: it counts.
  const isUsed = await useOfApplications(storeOf([]), claims).inUse()
  claims.claim({ hash: 'b' }, 0)
  t.true(isUsed('a'))
  t.true(isUsed('b'))
  await environment.advance(65_000)
  t.true(isUsed('a'))
  t.false(isUsed('b'))
  await environment.advance(10_000)
  t.false(isUsed('a'))
})

test('claims are bounded, whoever makes how many', t => {
  const claims = new BlobClaims(new ManualEnvironment())
  for (let n = 0; n <= 1000; n++) claims.claim({ hash: String(n) }, Number.MAX_SAFE_INTEGER)
  t.false(claims.has('0'))
  t.true(claims.has('1'))
})
