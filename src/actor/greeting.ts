// The first words on a link between nodes: who speaks, in which version, with what proof. Nothing else of a peer is
// decoded before its greeting is accepted, and a greeting is short; so a stranger can cost us little.

import { createHash, timingSafeEqual } from 'node:crypto'
import { EngineError } from '../base/errors.ts'
import { type ByteReader, frameInvalid } from '../transport/byte-reader.ts'
import type { ByteWriter } from '../transport/byte-writer.ts'
import { type Address, addressText, type LinkSecurity } from '../transport/link.ts'
import type { Principal } from './actor.ts'

/** Raise it with every change of what nodes say to each other: nodes of different versions do not talk. */
export const ACTOR_PROTOCOL_VERSION = 2

/** A greeting, whole. Names, addresses and tokens are short. */
export const GREETING_BYTES_MAX = 4096

/** Who a node is. */
export interface Identity {
  name: string
  /** Random, of this process: a new one at the same address is another node. */
  incarnation: string
  /** Where it listens; a node that does not is reached over the links it has made. */
  listens: Address | undefined
  /** Name of the cluster that it is part of; '' when it is of none, as clients are. */
  cluster: string
}

export interface Greeting extends Identity {
  version: number
  /** A client's proof. Never in a log or an error. */
  token: string
}

export interface Credentials {
  /** What this node shows to those it connects to. */
  token?: string
  /** What clients may show to this node: several, so that a token can be replaced without a gap. */
  clientTokens?: readonly string[]
}

/** Where a node that does not listen can be found: only over a link it has made. */
export function unlistening(incarnation: string): Address {
  return { kind: 'memory', name: `unlistening-${incarnation}` }
}

/** The body of HELLO and WELCOME, after the frame's number. The version comes first, in all versions to come. */
export function writeGreeting(out: ByteWriter, identity: Identity, token: string): void {
  const start = out.position
  out.u32(ACTOR_PROTOCOL_VERSION)
  out.text(identity.name)
  out.text(identity.incarnation)
  out.text(identity.listens?.kind ?? '')
  out.text(placeOf(identity.listens))
  out.u32(identity.listens?.kind === 'tcp' ? identity.listens.port : 0)
  out.text(identity.cluster)
  out.text(token)
  if (out.position - start > GREETING_BYTES_MAX) {
    throw new EngineError('BAD_INPUT', 'the name, address and token of this node are too long', {
      hint: `together they may take ${GREETING_BYTES_MAX} bytes`,
      details: { name: identity.name.slice(0, 128) },
    })
  }
}

/** Reads a greeting; of another version, only that. */
export function readGreeting(input: ByteReader): Greeting {
  if (input.remaining > GREETING_BYTES_MAX) throw frameInvalid('a greeting of implausible length')
  const version = input.u32()
  if (version !== ACTOR_PROTOCOL_VERSION) {
    return { version, name: '', incarnation: '', listens: undefined, cluster: '', token: '' }
  }
  const name = input.text()
  const incarnation = input.text()
  const listens = addressOf(input.text(), input.text(), input.u32())
  return { version, name, incarnation, listens, cluster: input.text(), token: input.text() }
}

/** What a node looks at when it is greeted. */
export interface Gate {
  readonly security: LinkSecurity | undefined
  readonly clientTokens: readonly string[]
  /** Of this node. */
  readonly cluster: string
}

/** Who the peer may be taken for, or the reason to refuse it; for its eyes as well. */
export function admit(greeting: Greeting, gate: Gate): Principal | EngineError {
  if (greeting.version !== ACTOR_PROTOCOL_VERSION) {
    return refused(
      `the peer speaks version ${greeting.version} of the protocol, this node ${ACTOR_PROTOCOL_VERSION}`,
      'run the same version of the engine on both',
    )
  }
  const principal = principalOf(greeting, gate)
  // Only to those who have shown that they are part of some cluster of ours.
  if (principal !== 'role' || isOfCluster(greeting, gate)) return principal
  return refused(
    `the peer is of cluster "${greeting.cluster}", and this node of "${gate.cluster}"`,
    'correct the addresses of the masters, or cluster.name: it is the same on every process of a cluster',
  )
}

function isOfCluster({ cluster }: Greeting, gate: Gate): boolean {
  return cluster === '' || gate.cluster === '' || cluster === gate.cluster
}

function principalOf(
  greeting: Greeting,
  { security, clientTokens }: Gate,
): Principal | EngineError {
  if (security?.peerVerified === true) return 'role'
  if (greeting.token !== '' && isOneOf(greeting.token, clientTokens)) return 'client'
  if (security === undefined && clientTokens.length === 0) return 'role'
  const certificate = security === undefined ? '' : ` and its certificate ${security.detail}`
  return refused(
    greeting.token === ''
      ? `the peer has shown no token${certificate}`
      : `the peer's token is not accepted here${certificate}`,
    'give it a token of this cluster, or a certificate signed by its authority',
  )
}

function refused(message: string, hint: string): EngineError {
  return new EngineError('UNAUTHORIZED', message, { hint })
}

// Hashes are of one length, as the comparison wants it, and all are compared: time tells nothing about any of them.
function isOneOf(token: string, accepted: readonly string[]): boolean {
  const given = digest(token)
  let found = false
  for (const one of accepted) if (timingSafeEqual(given, digest(one)) && one !== '') found = true
  return found
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function placeOf(address: Address | undefined): string {
  switch (address?.kind) {
    case undefined:
      return ''
    case 'tcp':
    case 'host':
      return address.host
    case 'unix':
      return address.path
    case 'memory':
      return address.name
  }
}

function addressOf(kind: string, place: string, port: number): Address | undefined {
  switch (kind) {
    case '':
      return undefined
    case 'tcp':
      return { kind, host: place, port }
    case 'unix':
      return { kind, path: place }
    case 'memory':
      return { kind, name: place }
    default:
      throw frameInvalid(`an address of unknown kind ${JSON.stringify(kind.slice(0, 32))}`)
  }
}

/** A node for people: its name and where it is. */
export function nodeText(identity: Identity): string {
  const where = identity.listens ?? unlistening(identity.incarnation)
  return `${identity.name} (${addressText(where)})`
}
