// Which memory a cluster has follows from its settings; this is the one place that chooses, and it says so in one line.
import type { Environment } from '../../base/environment.ts'
import { type Log, log } from '../../base/log.ts'
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts'
import { EtcdMap } from './etcd-map.ts'
import { EtcdMember, type EtcdMemberOptions } from './etcd-member.ts'
import { JournalStore } from './journal-store.ts'
import { LeasedStore } from './leased-store.ts'
import type { MemoryCluster } from './memory-store.ts'
import type { ClusterStore } from './store.ts'

/** Of each cluster in an etcd, unless it is given another. */
const DEFAULT_ROOT = 'gearpump'

export type StoreSettings =
  /** An etcd that is there already. `root`: where in it this cluster's keys are. */
  | ({ readonly kind: 'etcd'; readonly root?: string } & EtcdClientOptions)
  /** A member of the masters' own etcd, started here. */
  | ({ readonly kind: 'etcd-member' } & EtcdMemberOptions)
  /** One machine, one master. */
  | { readonly kind: 'journal'; readonly directory: string }
  /** A simulation; `name` is this master's. */
  | { readonly kind: 'memory'; readonly cluster: MemoryCluster; readonly name: string }

export interface StoreParts {
  readonly environment: Environment
  readonly log: Log
}

/**
 * @example
 * const store = await openStore({ kind: 'journal', directory: '/var/lib/gearpump' }, { environment, log })
 */
export async function openStore(settings: StoreSettings, parts: StoreParts): Promise<ClusterStore> {
  const { environment, log: sink } = parts
  const chosen = (what: string) => log(sink, 'info', 'store', `the cluster's memory is ${what}`)
  switch (settings.kind) {
    case 'etcd': {
      chosen(`etcd at ${settings.endpoints.join(', ')}`)
      const map = new EtcdMap(new EtcdClient(settings), environment)
      return new LeasedStore(map, { environment, log: sink, root: settings.root ?? DEFAULT_ROOT })
    }
    case 'etcd-member': {
      const member = await EtcdMember.start(settings, parts)
      chosen(`etcd, member ${settings.name} of ${settings.members.length}, at ${member.endpoint}`)
      const map = new EtcdMap(new EtcdClient(member.client), environment)
      const release = () => member.close()
      return new LeasedStore(map, { environment, log: sink, root: DEFAULT_ROOT, release })
    }
    case 'journal': {
      const { directory } = settings
      const store = await JournalStore.open({ directory, environment, log: sink })
      chosen(`the journal in ${directory}, for this master alone`)
      return store
    }
    case 'memory':
      chosen('this process, for a simulation')
      return settings.cluster.connect(settings.name, { environment, log: sink })
  }
}
