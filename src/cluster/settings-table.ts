// Every setting of a cluster's processes, in one table: `gear.yaml` and the flags are checked against it, the type
// Settings comes from it, and docs/settings.md is printed from it. A row is facts, not code.
//
// `role` says which process reads a setting. `own` says that it belongs to the host: it is never taken from what
// somebody submits, for whoever may run an application must not thereby choose a worker's addresses, keys or folders.

/** What defaults may depend on. */
export interface HostFacts {
  readonly cores: number
  readonly memoryMb: number
  readonly hostName: string
  readonly homeDir: string
  /** Relative paths of flags begin here. */
  readonly currentDir: string
}

/** A type of setting, and the type of its value. */
export interface SettingValues {
  readonly integer: number
  readonly number: number
  readonly boolean: boolean
  readonly text: string
  /** A path; relative ones begin at the directory of the file that names them. */
  readonly file: string
  /** A list of `host:port`. */
  readonly addresses: readonly string[]
  /** Words to words. */
  readonly map: Readonly<Record<string, string>>
  /** Names to paths. */
  readonly files: Readonly<Record<string, string>>
  /** Ports and ranges of ports (`7000-7099`), as the ports one by one. */
  readonly ports: readonly number[]
  /** A word, or the URLs of an etcd that is there already. */
  readonly store: 'journal' | 'etcd' | readonly string[]
}

export interface Setting {
  readonly type: keyof SettingValues
  /** `ms`, `MB`, `cores`. */
  readonly unit?: string
  readonly default?: unknown
  /** How the page tells a default that depends on the host. */
  readonly defaultText?: string
  /** Of a number; of a text: characters. */
  readonly min?: number
  readonly max?: number
  readonly role: 'every process' | 'master' | 'worker' | 'gateway' | 'application'
  readonly own: boolean
  /** Never shown, not even in an error. */
  readonly secret?: true
  /** One line, without a full stop. */
  readonly doc: string
}

const EVERY = { role: 'every process', own: true } as const
const MASTER = { role: 'master', own: true } as const
const WORKER = { role: 'worker', own: true } as const
const GATEWAY = { role: 'gateway', own: true } as const
const APPLICATION = { role: 'application', own: false } as const

const DAY_MS = 86_400_000
/** A process that answers nothing for a tenth of a second is busy, not lost. */
const TIMEOUT_MIN_MS = 100

/** A zip without its 64-bit form. */
const BUNDLE_MB_MAX = 4095

const ms = { type: 'integer', unit: 'ms', min: TIMEOUT_MIN_MS, max: DAY_MS } as const

export const settingsTable = {
  'cluster.name': {
    ...EVERY,
    type: 'text',
    default: 'gear',
    min: 1,
    max: 64,
    doc: 'the same on every process of a cluster: others are refused; its keys in an etcd begin with it',
  },
  'cluster.masters': {
    ...EVERY,
    type: 'addresses',
    default: ['127.0.0.1:3000'],
    doc: 'every host that runs a master; with N of them, (N-1)/2 may fail',
  },
  'cluster.store': {
    ...MASTER,
    type: 'store',
    defaultText: 'journal with one master, else etcd',
    doc:
      'where masters keep what must not be lost: a file of the only one, an etcd that they start, ' +
      'or the URLs of one that is there',
  },
  'cluster.etcd': {
    ...MASTER,
    type: 'file',
    defaultText: 'etcd, found in PATH',
    doc: 'the program etcd',
  },
  'cluster.leaseMs': {
    ...MASTER,
    ...ms,
    default: 3000,
    min: 1000,
    max: 60_000,
    doc: 'a master that was cut off for so long is replaced; shorter means more false alarms',
  },
  'host.name': {
    ...EVERY,
    type: 'text',
    default: (host: HostFacts) => host.hostName,
    defaultText: 'the name of the host',
    min: 1,
    max: 255,
    doc: 'under which name or address others reach this process',
  },
  'host.bind': {
    ...EVERY,
    type: 'text',
    default: '127.0.0.1',
    min: 1,
    max: 255,
    doc: 'the address to listen on; any but a loopback address needs TLS, and for a master a token',
  },
  'host.dataDir': {
    ...EVERY,
    type: 'file',
    default: (host: HostFacts) => `${host.homeDir}/.gearpump`,
    defaultText: '.gearpump in the home directory',
    doc: 'directory for journals, bundles and logs; one per process',
  },
  'worker.slots': {
    ...WORKER,
    type: 'integer',
    default: (host: HostFacts) => host.cores,
    defaultText: 'one per core',
    min: 0,
    max: 100_000,
    doc: 'executors that this worker runs at most',
  },
  'worker.cpu': {
    ...WORKER,
    type: 'number',
    unit: 'cores',
    default: (host: HostFacts) => host.cores,
    defaultText: 'all cores',
    min: 0,
    max: 100_000,
    doc: 'cores that executors may ask for',
  },
  'worker.memoryMb': {
    ...WORKER,
    type: 'integer',
    unit: 'MB',
    // The system and the worker itself need some, too.
    default: (host: HostFacts) => Math.floor(host.memoryMb * 0.8),
    defaultText: 'four fifths of the memory',
    min: 0,
    max: 1 << 30,
    doc: 'memory that executors may ask for',
  },
  'worker.labels': {
    ...WORKER,
    type: 'map',
    default: {},
    doc: 'what applications may ask of a worker, such as `disk: ssd`',
  },
  'worker.ports': {
    ...WORKER,
    type: 'ports',
    default: [],
    defaultText: 'any that is free',
    doc: 'ports to listen on behind a fire wall: one for the worker, one per app master, two per executor',
  },
  'executor.cpu': {
    ...APPLICATION,
    type: 'number',
    unit: 'cores',
    default: 1,
    min: 0,
    max: 1024,
    doc: 'cores that each executor of the application is given',
  },
  'executor.memoryMb': {
    ...APPLICATION,
    type: 'integer',
    unit: 'MB',
    default: 512,
    min: 64,
    max: 1 << 30,
    doc: 'memory that each executor of the application is given',
  },
  'scheduler.strategy': {
    ...APPLICATION,
    type: 'text',
    default: 'spread',
    min: 1,
    max: 64,
    doc: 'how workers are chosen: spread, pack, locality, labels, labels+pack, or a name of scheduler.modules',
  },
  'scheduler.labels': {
    ...APPLICATION,
    type: 'map',
    default: {},
    doc: 'only workers that have all of these labels are used',
  },
  'scheduler.modules': {
    ...MASTER,
    type: 'files',
    default: {},
    doc: 'placement strategies of your own: a name, and the module that exports `strategy`',
  },
  'timeouts.unreachableMs': {
    ...EVERY,
    ...ms,
    default: 5000,
    doc: 'a worker, app master or executor that is silent for so long is given up and replaced',
  },
  'timeouts.orphanMs': {
    ...WORKER,
    ...ms,
    default: 5000,
    doc: 'an executor or app master whose worker has gone for so long ends itself',
  },
  'restarts.windowMs': {
    ...EVERY,
    ...ms,
    default: 600_000,
    doc: 'the window in which restarts are counted; those before it are forgiven',
  },
  'restarts.executors': {
    ...APPLICATION,
    type: 'integer',
    default: 100,
    min: 0,
    max: 10_000,
    doc: 'restarts of one executor per window before the application fails; ten in a row that do not come up are too many in any case',
  },
  'restarts.appMasters': {
    ...MASTER,
    type: 'integer',
    default: 5,
    min: 0,
    max: 10_000,
    doc: 'restarts of an app master per window before the application fails',
  },
  'security.tls.ca': {
    ...EVERY,
    type: 'file',
    doc: 'the certificate that signed those of all processes of the cluster (PEM)',
  },
  'security.tls.cert': {
    ...EVERY,
    type: 'file',
    doc: "this process's certificate (PEM)",
  },
  'security.tls.key': {
    ...EVERY,
    type: 'file',
    doc: "this process's private key (PEM)",
  },
  'security.token': {
    ...EVERY,
    type: 'text',
    secret: true,
    min: 16,
    max: 1024,
    doc: 'what clients show to the masters; needs TLS. $GEAR_TOKEN gives it to a client, too',
  },
  'security.tokenFile': {
    ...EVERY,
    type: 'file',
    doc: 'a file with the token, instead of security.token',
  },
  'security.insecure': {
    ...EVERY,
    type: 'boolean',
    default: false,
    doc:
      'true: listen on other than loopback addresses without TLS and a token, ' +
      'so that everybody who reaches them may run code here',
  },
  'blobs.bundleMb': {
    ...EVERY,
    type: 'integer',
    unit: 'MB',
    default: 512,
    min: 1,
    max: BUNDLE_MB_MAX,
    doc: 'the largest bundle, packed and unpacked',
  },
  'blobs.fileMb': {
    ...EVERY,
    type: 'integer',
    unit: 'MB',
    default: 256,
    min: 1,
    max: BUNDLE_MB_MAX,
    doc: 'the largest file in a bundle',
  },
  'blobs.files': {
    ...EVERY,
    type: 'integer',
    default: 50_000,
    min: 1,
    max: 65_000,
    doc: 'the most files in a bundle',
  },
  'blobs.storeMb': {
    ...EVERY,
    type: 'integer',
    unit: 'MB',
    default: 10_240,
    min: 1,
    max: 1 << 30,
    doc: 'the most that the bundles of a process take on disk; the oldest unused go for new ones',
  },
  'gateway.bind': {
    ...GATEWAY,
    type: 'text',
    default: '127.0.0.1',
    min: 1,
    max: 255,
    doc: "the address where clients of other systems come in; any but a loopback address needs clients' certificates or users",
  },
  'gateway.advertise': {
    ...GATEWAY,
    type: 'text',
    defaultText: 'the address under which each came',
    min: 1,
    max: 255,
    doc: 'the host that clients are told to come back to',
  },
  'gateway.tls.cert': { ...GATEWAY, type: 'file', doc: 'the certificate for those clients (PEM)' },
  'gateway.tls.key': { ...GATEWAY, type: 'file', doc: 'its private key (PEM)' },
  'gateway.tls.ca': {
    ...GATEWAY,
    type: 'file',
    doc: 'the certificate that signed those of the clients (PEM); without it TLS only encrypts',
  },
  'gateway.usersFile': {
    ...GATEWAY,
    type: 'file',
    doc: 'users and passwords, one `user:password` a line; with it clients authenticate (SASL digest)',
  },
} as const satisfies Readonly<Record<string, Setting>>

type Table = typeof settingsTable
export type SettingName = keyof Table

/** The values of all settings; those without a default may be undefined. */
export type Settings = {
  readonly [N in SettingName]: Table[N] extends { readonly default: unknown }
    ? SettingValues[Table[N]['type']]
    : SettingValues[Table[N]['type']] | (N extends 'cluster.store' ? never : undefined)
}
