// A topology as its Nimbus keeps it: with its note, and with what is to happen to it.
import type { BlobRef } from 'gearpump'
import type { Topology } from './topology.ts'
import type { Pending } from './topology-note.ts'

export interface Entry extends Topology {
  /** Undefined for one that another Nimbus submitted. */
  readonly directory: string | undefined
  readonly blob: BlobRef | undefined
  starting: boolean
  /** It failed, and its host has nothing of it any more. */
  unhosted: boolean
  /** The host's work for it, one thing after the other. */
  turn: Promise<unknown>
  pending: Pending | undefined
  waiting: { cancel(): void } | undefined
  sampling: { cancel(): void } | undefined
  /** Of its note, as read or written last. */
  revision: number
  /** Writes of its note that are under way. */
  writing: number
  written: Promise<unknown>
}

export function newEntry(topology: Topology, blob: BlobRef): Omit<Entry, 'directory'> {
  return {
    ...topology,
    blob,
    starting: true,
    unhosted: false,
    turn: Promise.resolve(),
    pending: undefined,
    waiting: undefined,
    sampling: undefined,
    revision: -1,
    writing: 0,
    written: Promise.resolve(),
  }
}

export function statusOf({ pending, active }: Entry): Topology['status'] {
  if (pending?.kind === 'kill') return 'KILLED'
  if (pending?.kind === 'rebalance') return 'REBALANCING'
  return active ? 'ACTIVE' : 'INACTIVE'
}
