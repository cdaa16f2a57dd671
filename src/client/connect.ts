// `connect()`: the one way in. Without masters the engine runs in this process; with them it is a cluster's.
import type { ProcessOptions } from '../app/process-launcher.ts'
import { type Environment, realEnvironment } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import { type Log, noLog } from '../base/log.ts'
import type { BundleLimits } from '../cluster/zip-format.ts'
import type { TlsOptions } from '../transport/tls.ts'
import type { ClusterGear, Gear } from './gear.ts'

export interface ConnectOptions {
  log?: Log
  /** Time and scheduling; the real one unless a test brings its own. */
  environment?: Environment
  /** Without masters: about executor processes that this one starts. */
  processes?: ProcessOptions
}

export interface ClusterOptions extends ConnectOptions {
  /** `host:port` of one or more masters. */
  masters: readonly string[]
  /** The cluster's token for clients, where it has one. */
  token?: string
  /** PEM texts: `ca` to know the masters by; certificate and key only for a part of the cluster. */
  tls?: TlsOptions
  /** How much may travel with an application; by default 50,000 files of 256 MB each, 512 MB together. */
  bundleLimits?: BundleLimits
}

/**
 * @example
 * const gear = await connect()                                   // in this process
 * const cluster = await connect({ masters: ['m1:3000', 'm2:3000'] })
 * const app = await cluster.submit(application('words', dag, { code }))
 */
export function connect(options: ClusterOptions): Promise<ClusterGear>
export function connect(options?: ConnectOptions): Promise<Gear>
export async function connect(options: ConnectOptions | ClusterOptions = {}): Promise<Gear> {
  const { environment = realEnvironment, log = noLog } = options
  // Loaded only where they are wanted: `gear run` begins sooner, and so does what only builds an application.
  if (!('masters' in options)) {
    const { EmbeddedGear } = await import('./embedded-gear.ts')
    return new EmbeddedGear(environment, log, options.processes)
  }
  const { masters } = options as { masters?: unknown }
  if (!Array.isArray(masters) || masters.length === 0) {
    const given = Array.isArray(masters) ? 'an empty list' : `of type ${typeof masters}`
    throw new EngineError('BAD_INPUT', `masters is ${given}; it must be a list of host:port`, {
      hint: 'leave masters out to run in this process',
    })
  }
  const { RemoteGear } = await import('./remote-gear.ts')
  return RemoteGear.open({ ...options, environment, log })
}
