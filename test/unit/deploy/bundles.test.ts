// A worker's bundles as directories: each as long as its blob, and as long as something runs in it.
import { createHash, randomBytes } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import { type BlobStore, openBlobStore } from '../../../src/cluster/blob-store.ts'
import { makeBundle } from '../../../src/cluster/bundle.ts'
import type { BundleRef } from '../../../src/cluster/messages.ts'
import { DEFAULT_LIMITS } from '../../../src/cluster/zip-format.ts'
import { Bundles } from '../../../src/deploy/bundles.ts'
import '../seed.ts'

const CONTENT_BYTES = 20_000
/** Room for three of them: their content cannot be packed below 3/4. */
const limits = { blobBytesMax: 1 << 20, totalBytesMax: 3 * CONTENT_BYTES }

let top = ''
let folders = 0
const made: { bundle: BundleRef; archive: Buffer; text: string }[] = []

test.before(async () => {
  top = await mkdtemp(join(tmpdir(), 'gear-bundles-'))
  for (let n = 0; n < 6; n++) {
    const root = join(top, `code-${n}`)
    await mkdir(root)
    const text = randomBytes(CONTENT_BYTES * 0.9).toString('base64')
    await writeFile(join(root, 'app.js'), text)
    await writeFile(join(root, 'last.js'), String(n))
    const { file, hash, sizeBytes } = await makeBundle(root, { out: join(top, `${n}.zip`) })
    made.push({ bundle: { hash, sizeBytes }, archive: await readFile(file), text })
  }
})

test.after.always(() => rm(top, { recursive: true, force: true }))

interface Place {
  readonly directory: string
  readonly blobs: BlobStore
  readonly bundles: Bundles
  /** Users by hash. */
  readonly users: Map<string, number>
}

async function place(directory = join(top, `worker-${folders++}`)): Promise<Place> {
  const users = new Map<string, number>()
  const blobs = await openBlobStore(join(directory, 'blobs'), limits, {
    inUse: async () => hash => (users.get(hash) ?? 0) > 0,
    onRemove: hash => bundles.remove(hash),
  })
  const bundles = new Bundles({
    directory: join(directory, 'bundles'),
    masters: [],
    limits: DEFAULT_LIMITS,
    shelf: {
      has: hash => blobs.has(hash),
      pathOf: hash => blobs.pathOf(hash),
      fetch: async ({ hash }) => {
        const { archive } = made.find(({ bundle }) => bundle.hash === hash)!
        if (!blobs.has(hash)) await blobs.put(Readable.from([archive]), hash)
      },
    },
  })
  await bundles.sweep()
  return { directory, blobs, bundles, users }
}

const present = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

test('a directory goes with its blob when room is made', async t => {
  const { directory, bundles, blobs } = await place()
  const where: string[] = []
  for (const { bundle } of made.slice(0, 4)) where.push(await bundles.directoryOf(bundle))
  t.false(await present(where[0]!))
  t.true(await present(where[3]!))
  t.is((await readdir(join(directory, 'bundles'))).length, blobs.list().length)
})

test('at the start goes what has no blob, and what was being unpacked', async t => {
  const first = await place()
  const kept = await first.bundles.directoryOf(made[0]!.bundle)
  await first.bundles.directoryOf(made[1]!.bundle)
  await rm(first.blobs.pathOf(made[1]!.bundle.hash))
  await mkdir(`${kept}.unpacking-x1`)
  await place(first.directory)
  const names = await readdir(join(first.directory, 'bundles'))
  t.deepEqual(names, [made[0]!.bundle.hash])
})

test('one that is wanted again while it goes is whole', async t => {
  const { bundles, blobs, users } = await place()
  const { bundle, text } = made[0]!
  await bundles.directoryOf(bundle)
  const gone = blobs.remove(bundle.hash)
  users.set(bundle.hash, 1)
  const directory = await bundles.directoryOf(bundle)
  await gone
  t.is(await readFile(join(directory, 'app.js'), 'utf8'), text)
  t.is(await readFile(join(directory, 'last.js'), 'utf8'), '0')
  t.is(createHash('sha256').update(made[0]!.archive).digest('hex'), bundle.hash)
})

test('what runs has its directory, whole, whatever else comes and goes', async t => {
  const step = fc.record({
    starts: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
    ends: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async steps => {
      const { bundles, users } = await place()
      const running = new Map<number, string>()
      for (const { starts, ends } of steps) {
        for (const n of ends) {
          if (!running.delete(n)) continue
          users.delete(made[n]!.bundle.hash)
        }
        await Promise.all(
          starts.map(async n => {
            const { bundle } = made[n]!
            users.set(bundle.hash, (users.get(bundle.hash) ?? 0) + 1)
            try {
              running.set(n, await bundles.directoryOf(bundle))
            } catch (error) {
              // More run than there is room for: that is refused, and harms nobody.
              if ((error as { code?: string }).code !== 'BLOB_STORE_FULL') throw error
              users.set(bundle.hash, users.get(bundle.hash)! - 1)
            }
          }),
        )
        for (const [n, directory] of running) {
          t.is(await readFile(join(directory, 'app.js'), 'utf8'), made[n]!.text)
          t.is(await readFile(join(directory, 'last.js'), 'utf8'), String(n))
        }
      }
    }),
    { numRuns: 40 },
  )
})
