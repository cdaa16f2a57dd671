// The store of a master as its settings say: a journal in its directory, an etcd that is there, or an etcd member of its
// own that it starts and supervises.
import { join } from 'node:path'
import { realEnvironment } from '../base/environment.ts'
import type { Log } from '../base/log.ts'
import { masterAddress } from '../cluster/master-address.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { openStore, type StoreSettings } from '../cluster/store/open-store.ts'
import type { ClusterStore } from '../cluster/store/store.ts'
import { tlsCredentials } from './node-settings.ts'

/** Ports of a master's etcd, counted from the master's own: for clients, and for the other members. */
const ETCD_CLIENT_PORT = 1000
const ETCD_PEER_PORT = 2000

export interface MasterStoreOptions {
  readonly settings: Settings
  readonly log: Log
  /** The master's own. */
  readonly directory: string
  /** The master, as it is in `cluster.masters`. */
  readonly name: string
}

export async function openMasterStore(options: MasterStoreOptions): Promise<ClusterStore> {
  const { log } = options
  return openStore(await storeSettings(options), { environment: realEnvironment, log })
}

async function storeSettings(options: MasterStoreOptions): Promise<StoreSettings> {
  const { settings, directory, name } = options
  const masters = settings['cluster.masters']
  const chosen = settings['cluster.store'] ?? (masters.length === 1 ? 'journal' : 'etcd')
  if (chosen === 'journal') return { kind: 'journal', directory: join(directory, 'store') }
  if (chosen !== 'etcd') {
    const tls = await tlsCredentials(settings)
    const secured = chosen.some(url => url.startsWith('https:')) && tls !== undefined
    return {
      kind: 'etcd',
      endpoints: chosen,
      root: settings['cluster.name'],
      ...(secured ? { tls } : {}),
    }
  }
  const program = settings['cluster.etcd']
  const tls = await tlsCredentials(settings)
  return {
    kind: 'etcd-member',
    name,
    members: masters.map(master => etcdPeer(master, tls === undefined ? 'http' : 'https')),
    directory: join(directory, 'etcd'),
    ...(program === undefined ? {} : { program }),
    ...(tls === undefined ? {} : { tls, flags: etcdTlsFlags(settings) }),
  }
}

// Whoever can write into it can have code run: it asks for the cluster's certificates as the masters themselves do.
function etcdTlsFlags(settings: Settings): string[] {
  const { 'security.tls.ca': ca, 'security.tls.cert': cert, 'security.tls.key': key } = settings
  return ['', 'peer-'].flatMap(side => [
    `--${side}cert-file=${cert}`,
    `--${side}key-file=${key}`,
    `--${side}trusted-ca-file=${ca}`,
    `--${side}client-cert-auth`,
  ])
}

function etcdPeer(text: string, scheme: 'http' | 'https') {
  const { host, port } = masterAddress(text)
  const url = (offset: number) =>
    `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port + offset}`
  return { name: text, clientUrl: url(ETCD_CLIENT_PORT), peerUrl: url(ETCD_PEER_PORT) }
}
