// How a process of a cluster is reached and whom it trusts: plain data, handed from a worker to what it starts; and the
// actor system and links made of it.
import { readFile } from 'node:fs/promises'
import { ActorSystem } from '../actor/actor-system.ts'
import { type Environment, realEnvironment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { isLoopback } from '../cluster/loopback.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { FramePool } from '../transport/frame-pool.ts'
import { HostTransport } from '../transport/host-transport.ts'
import { SocketTransport } from '../transport/socket-transport.ts'
import type { TlsOptions } from '../transport/tls.ts'

export interface NodeSettings {
  /** Name of the cluster. */
  readonly cluster: string
  /** Name of the host in the cluster, by which others reach it. */
  readonly host: string
  /** Address to listen on. */
  readonly bind: string
  /** Port to listen on; 0 = any. */
  readonly port: number
  /** Ports to choose from, instead; none = `port`. */
  readonly ports: readonly number[]
  /** A process that is silent for so long is given up. */
  readonly unreachableMs: number
  readonly tls?: TlsOptions
}

/** What the settings of a cluster say about this host. */
export async function nodeSettings(settings: Settings, port: number): Promise<NodeSettings> {
  const bind = settings['host.bind']
  const tls = await tlsCredentials(settings)
  return {
    cluster: settings['cluster.name'],
    // What listens on loopback only is not reached by the host's name.
    host: isLoopback(bind) ? bind : settings['host.name'],
    bind,
    port,
    // A master has the port that the others know; the rest choose.
    ports: port === 0 ? settings['worker.ports'] : [],
    unreachableMs: settings['timeouts.unreachableMs'],
    ...(tls === undefined ? {} : { tls }),
  }
}

/** Says what of the security settings has no effect, and what is open to everybody. */
export function tellExposure(settings: Settings, lines: Log, who: string): void {
  const { 'host.bind': bind, 'security.token': token, 'security.tokenFile': file } = settings
  const secured = settings['security.tls.cert'] !== undefined
  if (!isLoopback(bind) && !secured)
    log(
      lines,
      'warn',
      who,
      `listens on ${bind} without TLS: everybody who reaches it may run code here (security.insecure)`,
    )
  const given = token !== undefined ? 'security.token' : file !== undefined && 'security.tokenFile'
  if (given !== false && !secured)
    log(
      lines,
      'warn',
      who,
      `${given} is not used: without TLS a token would be told to everybody who listens; set security.tls.*`,
    )
}

export async function clientToken(settings: Settings): Promise<string | undefined> {
  const file = settings['security.tokenFile']
  return file === undefined ? settings['security.token'] : (await read(file, 'token')).trim()
}

/** A node's own: PEM texts. */
export interface TlsTexts {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export async function tlsCredentials(settings: Settings): Promise<TlsTexts | undefined> {
  const { 'security.tls.ca': ca, 'security.tls.cert': cert, 'security.tls.key': key } = settings
  if (ca === undefined) return undefined
  if (cert === undefined || key === undefined) {
    throw new EngineError('SETTINGS_INVALID', 'security.tls.ca is given without cert and key', {
      hint: 'a process of the cluster needs all three; the authority alone is for clients',
    })
  }
  const [caText, certText, keyText] = await Promise.all([
    read(ca, 'certificate authority'),
    read(cert, 'certificate'),
    read(key, 'key'),
  ])
  return { ca: caText, cert: certText, key: keyText }
}

async function read(file: string, what: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(asError)
  if (!(text instanceof Error)) return text
  throw new EngineError(
    'FILE_NOT_FOUND',
    `the ${what} cannot be read from ${file}: ${text.message}`,
  )
}

/** The actors of this process, listening. Only a master has business with clients: others are given no token. */
export async function openSystem(
  name: string,
  node: NodeSettings,
  lines: Log,
  options: { readonly environment?: Environment; readonly clientToken?: string | undefined } = {},
): Promise<ActorSystem> {
  const { environment = realEnvironment, clientToken: token } = options
  const { cluster, host, bind, port, ports, unreachableMs, tls } = node
  const system = new ActorSystem({
    environment,
    log: lines,
    name,
    cluster,
    unreachableMs,
    transport: new SocketTransport({
      kind: 'tcp',
      host: bind,
      port,
      ports,
      advertisedHost: host,
      ...(tls === undefined ? {} : { tls }),
    }),
    // Without TLS nobody can be told from a part of the cluster; see `checkExposure`.
    ...(token === undefined || tls === undefined ? {} : { credentials: { clientTokens: [token] } }),
  })
  await system.listen()
  return system
}

/** The links of one executor to others, and the memory that their frames are made from. */
export function openLinks(
  { host, bind, ports, tls }: NodeSettings,
  directory: string,
): { transport: HostTransport; pool: FramePool } {
  const pool = new FramePool()
  const transport = new HostTransport({
    machine: host,
    directory,
    bind,
    advertised: host,
    ports,
    pool,
    ...(tls === undefined ? {} : { tls }),
  })
  return { transport, pool }
}
