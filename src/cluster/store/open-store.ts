// Which memory a cluster has follows from its settings; this is the one place that chooses, and it says so in one line.
import type { Environment } from '../../base/environment.ts'
import { type Problem, UserError } from '../../base/errors.ts'
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
  checkSettings(settings)
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

// All mistakes at once, before anything is started.
function checkSettings(settings: StoreSettings): void {
  const problems: Problem[] = []
  const check = (place: string, holds: boolean, message: string) => {
    if (!holds) problems.push({ place, message })
  }
  if (settings.kind === 'etcd') {
    check('endpoints', settings.endpoints.length > 0, 'at least one is needed')
    for (const url of settings.endpoints) {
      check('endpoints', isAddress(url), `${url} is no address such as http://host:2379`)
    }
    const root = settings.root ?? DEFAULT_ROOT
    check('root', /^[\w./-]+$/.test(root), `"${root}" is not made of letters, digits and . / - _`)
  } else if (settings.kind === 'etcd-member') {
    const { name, members } = settings
    const names = members.map(member => member.name)
    check('name', names.includes(name), `"${name}" is not among the masters ${names.join(', ')}`)
    check('members', new Set(names).size === names.length, 'each master has a name of its own')
    for (const url of members.flatMap(member => [member.clientUrl, member.peerUrl])) {
      check(
        'members',
        isAddress(url) && hasPort(url),
        `${url} is no address such as http://host:2380`,
      )
    }
  } else if (settings.kind === 'journal') {
    check('directory', settings.directory !== '', 'it is empty')
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', "the cluster's store", problems)
}

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && hostname !== ''
}

// A member listens there, so it is not left to a default.
function hasPort(url: string): boolean {
  return new URL(url).port !== ''
}
