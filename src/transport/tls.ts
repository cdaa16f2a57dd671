// TLS under the links between hosts. Parts of a cluster show each other certificates of one authority; a client without
// one verifies the server and proves itself above this layer. The accepting side lets every certificate pass and tells
// what it was worth: so a peer can be refused with a reason instead of a broken handshake.

import { isIP, type Socket } from 'node:net'
import { connect, createServer, type Server, TLSSocket } from 'node:tls'
import { EngineError } from '../base/errors.ts'
import type { LinkSecurity } from './link.ts'

export interface TlsOptions {
  /** Of the authority that signs this cluster's certificates, and no others: PEM. */
  ca: string | Buffer
  /** This node's certificate and its key: PEM. Without them it can connect as a client, and not listen. */
  cert?: string | Buffer
  key?: string | Buffer
  /**
   * The name that the certificates of those we connect to must be for. By default the host we connect to; with one
   * name for all nodes, one certificate can serve a cluster.
   */
  serverName?: string
}

/** Both ends are of this project and of one version. */
const VERSION_MIN = 'TLSv1.3'

/** Connections whose handshake is not over. Handshakes cost processor time, so strangers get few at once. */
const HANDSHAKES_MAX = 64

/** A peer on the same network needs milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface TlsListener {
  server: Server
  /** Handshakes that are not over end now: a close must not wait for strangers. */
  endHandshakes(): void
}

/** Hands over each socket whose handshake is over. */
export function tlsListener(options: TlsOptions, accept: (socket: TLSSocket) => void): TlsListener {
  const { ca, cert, key } = options
  if (cert === undefined || key === undefined) {
    throw new EngineError(
      'BAD_INPUT',
      'a node that listens with TLS needs a certificate and its key',
      {
        hint: 'give tls.cert and tls.key, signed by the authority of tls.ca',
      },
    )
  }
  const server = createServer(
    {
      ca,
      cert,
      key,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: VERSION_MIN,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
    },
    accept,
  )
  // By the peer's address and port: the socket of the handshake is another object than the one that comes out of it.
  const pending = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    if (pending.size >= HANDSHAKES_MAX) {
      socket.destroy()
      return
    }
    pending.set(peer, socket)
    socket.once('close', () => pending.delete(peer))
  })
  server.prependListener('secureConnection', socket => pending.delete(peerOf(socket)))
  return {
    server,
    endHandshakes: () => {
      for (const socket of pending.values()) socket.destroy()
    },
  }
}

/** Connects and verifies the server; `secureConnect` follows, or an error. */
export function tlsConnect(options: TlsOptions, host: string, port: number): TLSSocket {
  const { ca, cert, key } = options
  const serverName = options.serverName ?? (isIP(host) === 0 ? host : undefined)
  return connect({
    host,
    port,
    ca,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: true,
    minVersion: VERSION_MIN,
  }).setNoDelay(true)
}

/** What the handshake has shown of the other end; undefined for a socket without TLS. */
export function securityOf(socket: Socket): LinkSecurity | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  // A resumed session counts as authorized even if there never was a certificate; ours are not resumed.
  if (socket.isSessionReused()) return { peerVerified: false, detail: 'was not shown again' }
  if (socket.getPeerX509Certificate() === undefined) {
    return { peerVerified: false, detail: 'is missing' }
  }
  return socket.authorized
    ? { peerVerified: true, detail: 'is verified' }
    : { peerVerified: false, detail: `cannot be verified (${socket.authorizationError})` }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
