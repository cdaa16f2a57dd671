// A master as its settings say: its store (with an etcd member of its own where one is wanted), its blobs, its place on
// the network.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { realEnvironment } from '../base/environment.ts'
import { type Log, log as tell } from '../base/log.ts'
import { BlobShelf } from '../cluster/blob-shelf.ts'
import { blobLimits, openBlobStore } from '../cluster/blob-store.ts'
import { BlobClaims, useOfApplications } from '../cluster/blob-use.ts'
import { isLoopback } from '../cluster/loopback.ts'
import { Master } from '../cluster/master.ts'
import { masterAddress } from '../cluster/master-address.ts'
import { checkExposure } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings-table.ts'
import type { ClusterStore } from '../cluster/store/store.ts'
import { builtIn } from '../cluster/strategies.ts'
import { loadStrategy } from '../cluster/strategy-module.ts'
import type { Address } from '../transport/link.ts'
import { openMasterStore } from './master-store.ts'
import { clientToken, nodeSettings, openSystem, tellExposure } from './node-settings.ts'
import { packageVersion } from './package-version.ts'

export interface RunMasterOptions {
  readonly settings: Settings
  readonly log: Log
  /** Where this one listens; one of `cluster.masters`. */
  readonly host: string
  readonly port: number
}

export interface RunningMaster {
  readonly name: string
  readonly address: Address
  readonly master: Master
  readonly store: ClusterStore
  close(): Promise<void>
}

export async function runMaster(options: RunMasterOptions): Promise<RunningMaster> {
  const { settings, log, host, port } = options
  checkExposure(settings, 'master')
  const name = `${host}:${port}`
  tellExposure(settings, log, `master ${name}`)
  tellUnreachable(settings, log, name, host)
  const directory = join(settings['host.dataDir'], `master-${port}`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const node = await nodeSettings(settings, port)
  const token = await clientToken(settings)
  const system = await openSystem(`master ${name}`, { ...node, host, ports: [] }, log, {
    clientToken: token,
  })
  const closers: (() => Promise<void>)[] = [() => system.close()]
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const store = await openMasterStore({ settings, log, directory, name })
    closers.push(() => store.close())
    const claims = new BlobClaims(realEnvironment)
    const use = useOfApplications(store, claims)
    const blobs = await openBlobStore(join(directory, 'blobs'), blobLimits(settings), use)
    const strategies = new Map(builtIn)
    for (const [own, file] of Object.entries(settings['scheduler.modules']))
      strategies.set(own, await loadStrategy(file))
    const master = new Master({
      environment: realEnvironment,
      system,
      log,
      name,
      address: system.node,
      masters: port === 0 ? [system.node] : mastersOf(settings),
      store,
      leaseMs: settings['cluster.leaseMs'],
      shelf: new BlobShelf({ store: blobs, system, claims }),
      settings: {
        appMasterLostMs: settings['timeouts.unreachableMs'],
        restarts: settings['restarts.appMasters'],
        windowMs: settings['restarts.windowMs'],
      },
      strategies,
      strategy: settings['scheduler.strategy'],
      secret: () => randomBytes(16).toString('hex'),
      version: packageVersion(),
    })
    closers.push(() => master.close())
    return { name, address: system.node, master, store, close }
  } catch (error) {
    await close()
    throw error
  }
}

// A trap of the safe default: others would try in vain, and here all would look well.
function tellUnreachable(settings: Settings, lines: Log, name: string, host: string): void {
  const bind = settings['host.bind']
  if (!isLoopback(bind) || isLoopback(host)) return
  const text = `others look for it at ${host}, and it listens on ${bind} only: set host.bind`
  tell(lines, 'warn', `master ${name}`, text)
}

export function mastersOf(settings: Settings): Address[] {
  return settings['cluster.masters'].map(masterAddress)
}
