// What the engine knows of a connection: frames go in whole and in order, and come out whole and in order or not at
// all. How they travel (memory, socket, a simulated fault) is the transport's business. A link never waits for its
// reader: back pressure is by credit, so a transport always reads.

/** One end of a connection. */
export interface Link {
  /**
   * Sends a whole frame (length and kind included) and takes it over: the caller must not touch it afterwards.
   * Never blocks and never throws; after the end of the link frames are dropped, which the session's fence finds.
   */
  send(frame: Buffer): void
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedBytes: number
  /** Lets what was sent go out, then ends the link. `onClose` follows. Idempotent. */
  close(): void
  /** The other end, for people. */
  readonly peer: string
  /** What the transport has found out about the other end; undefined where it checks nothing. */
  readonly security?: LinkSecurity | undefined
  /**
   * From now on a frame of more than `bytes` ends the link before it is gathered. For links that do not know their
   * peer yet; a transport whose frames are in this process anyway has no need of it.
   */
  limitFrames?(bytes: number): void
}

/** Of a link whose bytes are encrypted. */
export interface LinkSecurity {
  /** The peer has shown a certificate that our authority has signed. */
  readonly peerVerified: boolean
  /** What is to be said of its certificate, for people. */
  readonly detail: string
}

/** Who listens to a link. A throw in `onFrame` ends the link, with the error as the reason. */
export interface LinkHandler {
  /** One frame. `body` is valid only during the call: decoding copies what it keeps. */
  onFrame(kind: number, body: Buffer): void
  /**
   * The end, exactly once; never from inside `send` or `close`. No reason: one of the two sides closed it. That says
   * nothing about its health: a process that is killed has its sockets closed in the same way.
   */
  onClose(reason: Error | undefined): void
  /** What was buffered beyond LINK_BUFFER_BYTES has left. */
  onDrain(): void
}

export type Address =
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number }
  /** Both: a Unix socket for those on the same machine, TCP for the others. */
  | { kind: 'host'; machine: string; path: string; host: string; port: number }
  | { kind: 'memory'; name: string }

/** Makes links. `accept` and `handler` get the link before its first frame can arrive. */
export interface Transport {
  /** Starts to accept links; gives the address for others to connect to. Once per transport. */
  listen(accept: (link: Link) => LinkHandler): Promise<Address>
  /** Rejects with LINK_LOST if nobody answers in time. */
  connect(address: Address, handler: (link: Link) => LinkHandler): Promise<Link>
  /** Ends all links and stops to accept. Bounded in time. Idempotent. */
  close(): Promise<void>
}

/** A link with more than this buffered will call `onDrain` when it is empty again: two full frames. */
export const LINK_BUFFER_BYTES = 128 * 1024

/** An address as people write it. */
export function addressText(address: Address): string {
  switch (address.kind) {
    case 'unix':
      return `unix:${address.path}`
    case 'tcp':
      return `tcp:${address.host}:${address.port}`
    case 'host':
      return `tcp:${address.host}:${address.port}`
    case 'memory':
      return `memory:${address.name}`
  }
}
