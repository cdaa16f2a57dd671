// A worker as its settings say: its directory, what an earlier one left swept away, its bundles, its place on the network.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActorSystem } from '../actor/actor-system.ts'
import { realEnvironment } from '../base/environment.ts'
import { type Log, log } from '../base/log.ts'
import { BlobShelf } from '../cluster/blob-shelf.ts'
import { blobLimits, openBlobStore } from '../cluster/blob-store.ts'
import { bundleLimits } from '../cluster/bundle.ts'
import { checkExposure } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { lockDirectory } from '../cluster/store/directory-lock.ts'
import { type ProcessHost, Worker } from '../cluster/worker.ts'
import type { Address } from '../transport/link.ts'
import { Bundles } from './bundles.ts'
import { InlineProcessHost } from './inline-process-host.ts'
import { LogDirectories } from './log-directories.ts'
import { type NodeSettings, nodeSettings, openSystem, tellExposure } from './node-settings.ts'
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
  const { settings, log: lines, name } = options
  checkExposure(settings, 'worker')
  tellExposure(settings, lines, `worker ${name}`)
  const directory = join(settings['host.dataDir'], `worker-${name}`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(directory)
  const closers: (() => Promise<void>)[] = [() => lock.release()]
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const node = await nodeSettings(settings, 0)
    const processes = processHost(options, node, directory)
    const system = await openSystem(`worker ${name}`, node, lines)
    closers.push(() => system.close())
    const masters = mastersOf(settings)
    const bundles = await openBundles(settings, {
      directory,
      system,
      masters,
      uses: hash => worker.uses(hash),
    })
    const worker: Worker = new Worker({
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
      processes,
      unpacked: bundle => bundles.directoryOf(bundle),
    })
    closers.push(() => worker.close())
    return { name, failure: worker.run(), close }
  } catch (error) {
    await close()
    throw error
  }
}

function processHost(
  { settings, log: lines, name, sameProcess = false }: RunWorkerOptions,
  node: NodeSettings,
  directory: string,
): ProcessHost {
  const orphanMs = settings['timeouts.orphanMs']
  const onFailure = (reason: string) =>
    log(lines, 'warn', `worker ${name}`, `cannot remove old log directories: ${reason}`)
  const logs = new LogDirectories({ directory: join(directory, 'logs'), onFailure })
  const processes = new RealProcessHost({ node, directory, orphanMs, logs })
  const swept = processes.sweep()
  if (swept.length > 0) {
    const pids = swept.join(' ')
    log(lines, 'warn', `worker ${name}`, `ended what an earlier worker had left: pids ${pids}`)
  }
  return sameProcess ? new InlineProcessHost({ node, directory, log: lines, logs }) : processes
}

interface BundlePlace {
  readonly directory: string
  readonly system: ActorSystem
  readonly masters: readonly Address[]
  readonly uses: (hash: string) => boolean
}

async function openBundles(settings: Settings, place: BundlePlace): Promise<Bundles> {
  const { directory, system, masters, uses } = place
  const blobs = await openBlobStore(join(directory, 'blobs'), blobLimits(settings), {
    inUse: async () => uses,
    onRemove: hash => bundles.remove(hash),
  })
  const bundles = new Bundles({
    directory: join(directory, 'bundles'),
    shelf: new BlobShelf({ store: blobs, system }),
    masters,
    limits: bundleLimits(settings),
  })
  await bundles.sweep()
  return bundles
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
