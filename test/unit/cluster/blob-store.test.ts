import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import { FETCH_CHUNK_BYTES, fetchBlob, type ReadChunk } from '../../../src/cluster/blob-fetch.ts'
import { type BlobStore, CHUNK_BYTES_MAX, openBlobStore } from '../../../src/cluster/blob-store.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'
import '../seed.ts'

let top = ''
let folders = 0

test.before(async () => {
  top = await mkdtemp(join(tmpdir(), 'gear-blobs-'))
})

test.after.always(() => rm(top, { recursive: true, force: true }))

const fresh = () => join(top, `store-${folders++}`)
const limits = { blobBytesMax: 4 << 20, totalBytesMax: 8 << 20 }
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const inParts = (...parts: readonly Uint8Array[]) => Readable.from(parts)

/** Bytes that are different everywhere, so that a chunk in the wrong place is noticed. */
function bytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255
  return bytes
}

async function store(): Promise<{ store: BlobStore; directory: string }> {
  const directory = fresh()
  return { store: await openBlobStore(directory, limits), directory }
}

async function filled(...blobs: readonly Buffer[]) {
  const { store: made, directory } = await store()
  for (const blob of blobs) await made.put(inParts(blob), hashOf(blob))
  return { store: made, directory }
}

async function whole(from: BlobStore, hash: string): Promise<Buffer> {
  return readFile(from.pathOf(hash))
}

// ---- the store

test('a blob is put, listed, read in chunks, verified and removed', async t => {
  const { store: blobs, directory } = await store()
  const bytes = bytesOf(1000)
  const hash = hashOf(bytes)
  t.false(blobs.has(hash))
  await blobs.put(inParts(bytes.subarray(0, 400), bytes.subarray(400)), hash)
  t.true(blobs.has(hash))
  t.deepEqual(blobs.list(), [{ hash, sizeBytes: 1000 }])
  t.is(blobs.usedBytes, 1000)
  t.deepEqual(await blobs.readChunk(hash, 0, 10), bytes.subarray(0, 10))
  t.deepEqual(await blobs.readChunk(hash, 990, 100), bytes.subarray(990))
  t.is((await blobs.readChunk(hash, 1000, 100)).length, 0)
  t.is((await blobs.readChunk(hash, 5000, 100)).length, 0)
  t.true(await blobs.verify(hash))
  t.true(await blobs.remove(hash))
  t.false(await blobs.remove(hash))
  t.is(blobs.usedBytes, 0)
  t.deepEqual(await readdir(directory), [])
})

test('a blob that is not what its name says is refused and leaves nothing', async t => {
  const { store: blobs, directory } = await store()
  const hash = hashOf(Buffer.from('a'))
  await t.throwsAsync(blobs.put(inParts(Buffer.from('b')), hash), { code: 'BUNDLE_CORRUPT' })
  t.false(blobs.has(hash))
  t.is(blobs.usedBytes, 0)
  t.deepEqual(await readdir(directory), [])
})

test('a blob whose stream breaks off leaves nothing', async t => {
  const { store: blobs, directory } = await store()
  async function* broken() {
    yield Buffer.from('a')
    throw new Error('cable cut')
  }
  await t.throwsAsync(blobs.put(broken(), hashOf(Buffer.from('ab'))), { message: 'cable cut' })
  t.is(blobs.usedBytes, 0)
  t.deepEqual(await readdir(directory), [])
})

test('only a SHA-256 names a blob: nothing else is looked for on the disk', async t => {
  const { store: blobs, directory } = await store()
  await writeFile(join(directory, 'other'), 'x')
  for (const name of ['other', '../x', '', 'A'.repeat(64), `${'a'.repeat(64)}/..`]) {
    t.false(blobs.has(name))
    t.throws(() => blobs.pathOf(name), { code: 'BLOB_NOT_FOUND' })
    await t.throwsAsync(blobs.readChunk(name, 0, 1), { code: 'BLOB_NOT_FOUND' })
    await t.throwsAsync(blobs.put(inParts(), name), { code: 'BAD_INPUT' })
    t.false(await blobs.remove(name))
  }
})

test('the room is bounded, for each blob and for all', async t => {
  const { store: blobs, directory } = await filled(bytesOf(3 << 20), bytesOf((3 << 20) + 1))
  const large = bytesOf((4 << 20) + 1)
  await t.throwsAsync(blobs.put(inParts(large), hashOf(large)), {
    code: 'BLOB_STORE_FULL',
    message: /more than 4194304/,
  })
  const third = bytesOf(3 << 20).fill(1)
  const half = third.length / 2
  const parts = inParts(third.subarray(0, half), third.subarray(half))
  await t.throwsAsync(blobs.put(parts, hashOf(third)), {
    code: 'BLOB_STORE_FULL',
    message: /more than 8388608/,
  })
  t.is((await readdir(directory)).length, 2)
  t.is(blobs.usedBytes, (6 << 20) + 1)
  await blobs.remove(hashOf(bytesOf(3 << 20)))
  await t.notThrowsAsync(blobs.put(inParts(third), hashOf(third)))
})

test('a store that is opened again has what it had, without what was unfinished', async t => {
  const bytes = bytesOf(100)
  const { directory } = await filled(bytes)
  await writeFile(join(directory, `${hashOf(bytes)}-0.unfinished`), 'half')
  const blobs = await openBlobStore(directory, limits)
  t.deepEqual(blobs.list(), [{ hash: hashOf(bytes), sizeBytes: 100 }])
  t.is(blobs.usedBytes, 100)
  t.deepEqual(await readdir(directory), [hashOf(bytes)])
})

test('verify notices what the disk has altered', async t => {
  const bytes = bytesOf(100)
  const { store: blobs } = await filled(bytes)
  await writeFile(blobs.pathOf(hashOf(bytes)), bytesOf(100).fill(0))
  t.false(await blobs.verify(hashOf(bytes)))
  await rm(blobs.pathOf(hashOf(bytes)))
  await t.throwsAsync(blobs.verify(hashOf(bytes)), { code: 'BLOB_NOT_FOUND' })
  await t.throwsAsync(blobs.readChunk(hashOf(bytes), 0, 1), { code: 'BLOB_NOT_FOUND' })
})

test('a peer cannot ask for more than a chunk, or for nonsense', async t => {
  const bytes = bytesOf(2 << 20)
  const { store: blobs } = await filled(bytes)
  const hash = hashOf(bytes)
  t.is((await blobs.readChunk(hash, 0, 1 << 30)).length, CHUNK_BYTES_MAX)
  for (const [offset, count] of [
    [-1, 1],
    [0.5, 1],
    [0, 0],
    [0, -1],
    [0, Number.NaN],
  ] as const)
    await t.throwsAsync(blobs.readChunk(hash, offset, count), { code: 'BAD_INPUT' })
})

test('several who put the same at once make one blob', async t => {
  const { store: blobs, directory } = await store()
  const bytes = bytesOf(1000)
  const hash = hashOf(bytes)
  await Promise.all([1, 2, 3].map(() => blobs.put(inParts(bytes), hash)))
  t.is(blobs.usedBytes, 1000)
  t.deepEqual(await readdir(directory), [hash])
})

test('what is there already is not read again, and its stream is closed', async t => {
  const { store: blobs } = await filled(Buffer.from('a'))
  const again = inParts(Buffer.from('whatever'))
  await blobs.put(again, hashOf(Buffer.from('a')))
  t.true(again.destroyed)
})

// ---- fetching

function nodeWith(bytes: Buffer): { readChunk: ReadChunk; asked: [number, number][] } {
  const asked: [number, number][] = []
  return {
    asked,
    readChunk: async (offset, count) => {
      asked.push([offset, count])
      return bytes.subarray(offset, offset + count)
    },
  }
}

const large = bytesOf(FETCH_CHUNK_BYTES * 3 + 17)
const largeHash = hashOf(large)

test('a blob is fetched chunk by chunk, and not again when it is there', async t => {
  const { store: blobs } = await store()
  const { readChunk, asked } = nodeWith(large)
  await fetchBlob(blobs, largeHash, large.length, readChunk)
  t.true((await whole(blobs, largeHash)).equals(large))
  t.deepEqual(
    asked.map(([, count]) => count),
    [FETCH_CHUNK_BYTES, FETCH_CHUNK_BYTES, FETCH_CHUNK_BYTES, 17],
  )
  await fetchBlob(blobs, largeHash, large.length, readChunk)
  t.is(asked.length, 4)
})

test('several callers share one fetch, and its failure', async t => {
  const { store: blobs } = await store()
  const { readChunk, asked } = nodeWith(large)
  await Promise.all([1, 2, 3].map(() => fetchBlob(blobs, largeHash, large.length, readChunk)))
  t.is(asked.length, 4)
  const wrong = nodeWith(large)
  const other = hashOf(Buffer.from('other'))
  const results = await Promise.allSettled(
    [1, 2].map(() => fetchBlob(blobs, other, large.length, wrong.readChunk)),
  )
  t.deepEqual(
    results.map(r => r.status),
    ['rejected', 'rejected'],
  )
  t.is(wrong.asked.length, 4)
})

test('a chunk that fails is asked for again, with pauses that grow', async t => {
  const { store: blobs } = await store()
  const environment = new ManualEnvironment()
  const { readChunk, asked } = nodeWith(large)
  const timesMs: number[] = []
  let failures = 0
  const flaky: ReadChunk = async (offset, count) => {
    if (offset > 0 && failures < 4) {
      failures++
      timesMs.push(environment.monotonicMs())
      throw new Error('no route')
    }
    return readChunk(offset, count)
  }
  const fetching = fetchBlob(blobs, largeHash, large.length, flaky, { environment })
  await runUntil(environment, fetching)
  t.is(asked.length, 4)
  const pausesMs = timesMs.slice(1).map((ms, i) => Math.floor(ms - timesMs[i]!))
  t.deepEqual(pausesMs, [0, 250, 500])
})

test('a node that fails often, but never for long, is not given up', async t => {
  const { store: blobs } = await store()
  const environment = new ManualEnvironment()
  const { readChunk } = nodeWith(large)
  let calls = 0
  const flaky: ReadChunk = async (offset, count) => {
    if (++calls % 4 !== 0) throw new Error('not now')
    return readChunk(offset, count)
  }
  await runUntil(environment, fetchBlob(blobs, largeHash, large.length, flaky, { environment }))
  t.is(calls, 16)
})

test('a node that is given up leaves what came, and another one goes on from there', async t => {
  const { store: blobs, directory } = await store()
  const environment = new ManualEnvironment()
  const first = nodeWith(large)
  const dying: ReadChunk = async (offset, count) => {
    if (offset >= FETCH_CHUNK_BYTES * 2) throw new Error('it burns')
    return first.readChunk(offset, count)
  }
  const failing = fetchBlob(blobs, largeHash, large.length, dying, { environment })
  const error = await t.throwsAsync(runUntil(environment, failing), { code: 'BLOB_FETCH_FAILED' })
  t.regex(error!.message, /beyond 524288 of 786449 bytes: it burns/)
  t.false(blobs.has(largeHash))
  t.is(blobs.usedBytes, FETCH_CHUNK_BYTES * 2)
  const second = nodeWith(large)
  await fetchBlob(blobs, largeHash, large.length, second.readChunk)
  t.is(second.asked[0]![0], FETCH_CHUNK_BYTES * 2)
  t.true((await whole(blobs, largeHash)).equals(large))
  t.is(blobs.usedBytes, large.length)
  t.deepEqual(await readdir(directory), [largeHash])
})

test('when what was kept is wrong, all is fetched anew; when the node is wrong, it is refused', async t => {
  const { store: blobs, directory } = await store()
  const environment = new ManualEnvironment()
  const altered = nodeWith(Buffer.from(large).fill(0, 5, 6))
  const dying: ReadChunk = async (offset, count) => {
    if (offset > 0) throw new Error('gone')
    return altered.readChunk(offset, count)
  }
  const failing = fetchBlob(blobs, largeHash, large.length, dying, { environment })
  await t.throwsAsync(runUntil(environment, failing), { code: 'BLOB_FETCH_FAILED' })
  await fetchBlob(blobs, largeHash, large.length, nodeWith(large).readChunk)
  t.true((await whole(blobs, largeHash)).equals(large))
  await blobs.remove(largeHash)
  const wrong = fetchBlob(blobs, largeHash, large.length, altered.readChunk)
  await t.throwsAsync(wrong, { code: 'BUNDLE_CORRUPT' })
  t.is(blobs.usedBytes, 0)
  t.deepEqual(await readdir(directory), [])
})

test('a node that gives nothing, too much, or no room for it, ends the fetch', async t => {
  const { store: blobs, directory } = await store()
  for (const answer of [Buffer.alloc(0), Buffer.alloc(FETCH_CHUNK_BYTES + 1)]) {
    const environment = new ManualEnvironment()
    const failing = fetchBlob(blobs, largeHash, large.length, async () => answer, { environment })
    await t.throwsAsync(runUntil(environment, failing), { code: 'BLOB_FETCH_FAILED' })
  }
  const endless: ReadChunk = async (_, count) => Buffer.alloc(count)
  const huge = fetchBlob(blobs, largeHash, 1 << 30, endless)
  await t.throwsAsync(huge, { code: 'BLOB_STORE_FULL' })
  t.deepEqual(await readdir(directory), [])
  t.is(blobs.usedBytes, 0)
})

test('only a few half fetches are kept', async t => {
  const { store: blobs, directory } = await store()
  for (let i = 0; i < 8; i++) {
    const environment = new ManualEnvironment()
    const dying: ReadChunk = async (offset, count) => {
      if (offset > 0) throw new Error('gone')
      return Buffer.alloc(count, i)
    }
    const hash = hashOf(Buffer.from(`${i}`))
    const failing = fetchBlob(blobs, hash, large.length, dying, { environment })
    await t.throwsAsync(runUntil(environment, failing), { code: 'BLOB_FETCH_FAILED' })
  }
  t.is((await readdir(directory)).length, 4)
  t.is(blobs.usedBytes, 4 * FETCH_CHUNK_BYTES)
})

test('however chunks fail or come short, the blob is whole in the end', async t => {
  const bytes = bytesOf(FETCH_CHUNK_BYTES + 1000)
  const hash = hashOf(bytes)
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.oneof(fc.constant('fail'), fc.integer({ min: 1, max: 400_000 }))),
      async answers => {
        const { store: blobs } = await store()
        const environment = new ManualEnvironment()
        const moody: ReadChunk = async (offset, count) => {
          const answer = answers.next().value
          if (typeof answer !== 'number') throw new Error('moody')
          return bytes.subarray(offset, offset + Math.min(count, answer))
        }
        for (let attempt = 0; !blobs.has(hash) && attempt < 50; attempt++) {
          const fetching = fetchBlob(blobs, hash, bytes.length, moody, { environment })
          await runUntil(environment, fetching).catch(error => {
            if (error.code !== 'BLOB_FETCH_FAILED') throw error
          })
        }
        t.true((await whole(blobs, hash)).equals(bytes))
      },
    ),
    { numRuns: 20 },
  )
})

/** Lets manual time pass until the promise has settled. */
async function runUntil(environment: ManualEnvironment, promise: Promise<void>): Promise<void> {
  let settled = false
  const watched = promise.finally(() => {
    settled = true
  })
  watched.catch(() => undefined)
  while (!settled) {
    await new Promise(resolve => setImmediate(resolve))
    await environment.advance(50)
  }
  return watched
}
