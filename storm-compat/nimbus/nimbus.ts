// Storm's front door: a Nimbus over Thrift, in this process. Unmodified Storm clients (storm jar, streamparse, the UI) submit,
// list, inspect and end topologies here; whatever implements TopologyHost runs them.
import { rm } from 'node:fs/promises'
import { availableParallelism, totalmem, userInfo } from 'node:os'
import { join } from 'node:path'
import { type GearNotes, type Log, noLog } from 'gearpump'
import type { Conf } from '../component/api.ts'
import { findJava, type JavaAround } from '../jvm/java-place.ts'
import type { PasswordOf } from '../thrift/sasl-digest.ts'
import { type Caller, type ServerTls, serve } from '../thrift/server.ts'
import type { Handlers } from '../thrift/service.ts'
import { nimbusMethods } from '../thrift/storm-nimbus.ts'
import type { NimbusCalls } from '../ui/nimbus-calls.ts'
import { blobMethods } from './blob-methods.ts'
import { BlobStore } from './blob-store.ts'
import { type Clock, realClock } from './clock.ts'
import { Inbox } from './inbox.ts'
import { informationMethods } from './information-methods.ts'
import { lifeMethods } from './life-methods.ts'
import { localNotes } from './local-notes.ts'
import { privateDirectory } from './private-directory.ts'
import { refusals } from './refused-methods.ts'
import type { NimbusSite } from './summaries.ts'
import { Topologies } from './topologies.ts'
import type { TopologyHost } from './topology-host.ts'
import type { FindJava, ReadJavaComponent } from './topology-reader.ts'

/** Storm's own port. */
export const NIMBUS_PORT = 6627

export interface NimbusOptions {
  readonly host: TopologyHost
  /** Port to listen on, 6627 if not given; 0 = any that is free. */
  readonly port?: number
  /** Address to listen on; loopback if not given. Who gets in can run programs here: see `tls` and `passwordOf`. */
  readonly address?: string
  /** Speak TLS, and with `ca` only to clients with a certificate, whose common name is the submitter. */
  readonly tls?: ServerTls
  /** Let only those in who know a password (SASL digest); the user's name is the submitter. */
  readonly passwordOf?: PasswordOf
  /** The host that clients are told to come back to. If not given, the address under which each came. */
  readonly advertise?: string
  /** Shows what a serialised Java component is; without it, such components are refused by their class. */
  readonly readJava?: ReadJavaComponent
  /** Settings that every topology here has, unless it sets them itself: where the DRPC servers are. */
  readonly conf?: Conf
  /** Where Java and Storm's jars are looked for, for components that work in Java; without it they are refused. */
  readonly java?: JavaAround
  readonly logDir?: string
  readonly log?: Log
  readonly clock?: Clock
  /**
   * Where it remembers what was submitted: `notes` of a cluster. Then the topologies live on when it ends, and several
   * Nimbuses may stand before one cluster. Without, all ends with it.
   */
  readonly notes?: GearNotes
}

export interface Nimbus {
  readonly port: number
  readonly address: string
  /** The methods as a client in this process calls them. */
  readonly calls: NimbusCalls
  /** Closes the port and removes all files; ends the topologies unless they are a cluster's. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a Nimbus.
 *
 * @example
 * const nimbus = await startNimbus({ host: gearHost({ gear: await connect() }) })
 * // storm jar …, sparse submit …
 * await nimbus.close()
 */
export async function startNimbus(options: NimbusOptions): Promise<Nimbus> {
  const { clock = realClock, log = noLog, logDir } = options
  const directory = await privateDirectory()
  const notes = options.notes ?? localNotes(join(directory, 'notes'))
  const startedMs = clock.nowMs()
  const inbox = new Inbox(join(directory, 'inbox'), clock)
  const blobs = new BlobStore(join(directory, 'blobs'), clock, notes)
  const topologies = new Topologies({
    host: options.host,
    notes,
    lasting: options.notes !== undefined,
    clock,
    directory: join(directory, 'topologies'),
    log,
    ...(options.readJava === undefined ? {} : { readJava: options.readJava }),
    ...(options.conf === undefined ? {} : { conf: options.conf }),
    ...findJavaOf(options),
  })
  const siteOf = (caller: Caller): NimbusSite => ({
    host: options.advertise ?? hostName(caller.localAddress),
    port: caller.localPort,
    startedMs,
    nowMs: clock.nowMs(),
    tls: options.tls !== undefined,
    memoryMb: Math.floor(totalmem() / 2 ** 20),
    cpuPercent: 100 * availableParallelism(),
  })
  const handlers: Handlers<typeof nimbusMethods, Caller> = {
    ...refreshing(topologies, {
      ...lifeMethods({ topologies, inbox, clock, user: userName() }),
      ...informationMethods({ topologies, siteOf, logDir }),
    }),
    ...blobMethods(blobs),
    ...refusals(),
  }
  const server = await serve({
    methods: nimbusMethods,
    handlers,
    port: options.port ?? NIMBUS_PORT,
    log,
    ...(options.address === undefined ? {} : { host: options.address }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.passwordOf === undefined ? {} : { passwordOf: options.passwordOf }),
  }).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true })
    throw error
  })
  let closing: Promise<void> | undefined
  const close = async () => {
    await server.close()
    await topologies.close()
    await Promise.all([inbox.close(), blobs.close()])
    await rm(directory, { recursive: true, force: true })
  }
  return {
    port: server.port,
    address: server.host,
    calls: callsOf(handlers, {
      localAddress: server.host,
      localPort: server.port,
      remoteAddress: server.host,
      gone: new AbortController().signal,
    }),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** Of calls that have nothing to do with topologies: chunks come by the thousand. */
const UNREFRESHED = new Set([
  ...['beginFileUpload', 'uploadChunk', 'finishFileUpload', 'beginFileDownload', 'downloadChunk'],
  ...['getLeader', 'getNimbusConf', 'getComponentPendingProfileActions'],
])

// What other Nimbuses of the cluster have done is seen by each call.
function refreshing<H extends object>(topologies: Topologies, handlers: H): H {
  const wrapped = Object.entries(handlers as Record<string, Handler>).map(([name, handler]) => {
    if (UNREFRESHED.has(name)) return [name, handler]
    const fresh: Handler = async (...given) => {
      await topologies.refresh()
      return handler(...given)
    }
    return [name, fresh]
  })
  return Object.fromEntries(wrapped) as H
}

type Handler = (...given: unknown[]) => unknown

function callsOf(handlers: Handlers<typeof nimbusMethods, Caller>, caller: Caller): NimbusCalls {
  return {
    call: async (name, args) => (await handlers[name](args as never, caller)) as never,
  }
}

function findJavaOf({ java }: NimbusOptions): { findJava?: FindJava } {
  return java === undefined ? {} : { findJava: (lines, conf) => findJava(lines, conf, java) }
}

/** What a client can connect to again, of the address under which it came. */
function hostName(address: string): string {
  const plain = address.replace(/^::ffff:/, '')
  return plain === '::1' || plain.startsWith('127.') ? 'localhost' : plain
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // Containers run under numbers that have no name.
    return 'storm'
  }
}
