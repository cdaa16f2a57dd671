// A worker as its settings say: its directory, what an earlier one left swept away, its bundles, its place on the network.
import { randomBytes } from 'node:crypto'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realEnvironment } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { BlobShelf } from '../cluster/blob-shelf.ts'
import { openBlobStore } from '../cluster/blob-store.ts'
import { bundleLimits } from '../cluster/bundle.ts'
import { unpackBundle } from '../cluster/bundle-unpack.ts'
import type { BundleRef } from '../cluster/messages.ts'
import { checkExposure } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { lockDirectory } from '../cluster/store/directory-lock.ts'
import { Worker } from '../cluster/worker.ts'
import type { BundleLimits } from '../cluster/zip-format.ts'
import { InlineProcessHost } from './inline-process-host.ts'
import { nodeSettings, openSystem, tellExposure } from './node-settings.ts'
import { RealProcessHost } from './process-host.ts'
import { mastersOf } from './run-master.ts'

export interface RunWorkerOptions {
  readonly settings: Settings
  readonly log: Log
  /** Unique in the cluster. */
  readonly name: string
  /** Its app masters and executors run in this very process. */
  readonly sameProcess?: boolean
}

export interface RunningWorker {
  readonly name: string
  /** Rejects when it cannot be a worker. Never resolves. */
  readonly failure: Promise<void>
  close(): Promise<void>
}

export async function runWorker(options: RunWorkerOptions): Promise<RunningWorker> {
  const { settings, log: lines, name, sameProcess = false } = options
  checkExposure(settings, 'worker')
  tellExposure(settings, lines, `worker ${name}`)
  const directory = join(settings['host.dataDir'], `worker-${name}`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(directory)
  const node = await nodeSettings(settings, 0)
  const orphanMs = settings['timeouts.orphanMs']
  const processes = new RealProcessHost({ node, directory, orphanMs })
  const swept = processes.sweep()
  if (swept.length > 0)
    log(
      lines,
      'warn',
      `worker ${name}`,
      `ended what an earlier worker had left: pids ${swept.join(' ')}`,
    )
  const system = await openSystem(`worker ${name}`, node, lines)
  const masters = mastersOf(settings)
  const blobs = await openBlobStore(join(directory, 'blobs'), {
    blobBytesMax: settings['blobs.bundleMb'] * 2 ** 20,
    totalBytesMax: settings['blobs.storeMb'] * 2 ** 20,
  })
  const bundles = new Bundles({
    directory: join(directory, 'bundles'),
    shelf: new BlobShelf(blobs, system),
    masters,
    limits: bundleLimits(settings),
  })
  const worker = new Worker({
    environment: realEnvironment,
    system,
    log: lines,
    card: {
      id: name,
      host: node.host,
      pid: process.pid,
      home: await homeOf(directory),
      slots: settings['worker.slots'],
      cpu: settings['worker.cpu'],
      memoryMb: settings['worker.memoryMb'],
      labels: settings['worker.labels'],
    },
    masters,
    processes: sameProcess ? new InlineProcessHost({ node, directory, log: lines }) : processes,
    unpacked: bundle => bundles.directoryOf(bundle),
  })
  return {
    name,
    failure: worker.run(),
    close: async () => {
      await worker.close()
      await system.close()
      await lock.release()
    },
  }
}

// Written once, under the directory's lock.
async function homeOf(directory: string): Promise<string> {
  const file = join(directory, 'home')
  const known = await readFile(file, 'utf8').catch(() => '')
  if (/^[0-9a-f]{32}$/.test(known)) return known
  const home = randomBytes(16).toString('hex')
  await writeFile(file, home)
  return home
}

interface BundlesOptions {
  readonly directory: string
  readonly shelf: BlobShelf
  readonly masters: Parameters<BlobShelf['fetch']>[1]
  readonly limits: BundleLimits
}

/** Bundles as directories, each fetched and unpacked once. */
class Bundles {
  readonly #options: BundlesOptions
  readonly #underWay = new Map<string, Promise<string>>()

  constructor(options: BundlesOptions) {
    this.#options = options
  }

  directoryOf(bundle: BundleRef): Promise<string> {
    let work = this.#underWay.get(bundle.hash)
    if (work === undefined) {
      work = this.#bring(bundle)
      this.#underWay.set(bundle.hash, work)
      const forget = (): void => void this.#underWay.delete(bundle.hash)
      work.then(forget, forget)
    }
    return work
  }

  async #bring(bundle: BundleRef): Promise<string> {
    const { shelf, masters, limits } = this.#options
    const directory = join(this.#options.directory, bundle.hash)
    const missing = await access(directory).then(() => undefined, asError)
    if (missing === undefined) return directory
    await shelf.fetch(bundle, masters)
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 })
    await unpackBundle(shelf.pathOf(bundle.hash), directory, { hash: bundle.hash, limits })
    return directory
  }
}
