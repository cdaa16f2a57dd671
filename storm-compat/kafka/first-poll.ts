// Where a partition is read from when a task gets it: the group's committed offset, or what the strategy says.
// EARLIEST, LATEST and TIMESTAMP hold for the first start of a topology only; afterwards the metadata of the commit
// shows that the topology itself wrote it, and it goes on from there. Pure.
import type { OffsetPlace } from 'gearpump/kafka'
import { readMetadata } from './commit-metadata.ts'

export const FIRST_POLL_STRATEGIES = [
  'EARLIEST',
  'LATEST',
  'TIMESTAMP',
  'UNCOMMITTED_EARLIEST',
  'UNCOMMITTED_LATEST',
  'UNCOMMITTED_TIMESTAMP',
] as const

export type FirstPollOffsetStrategy = (typeof FIRST_POLL_STRATEGIES)[number]

export interface StartQuestion {
  readonly strategy: FirstPollOffsetStrategy
  readonly startTimestampMs: number
  /** Storm's id of the topology that asks. */
  readonly topologyId: string
  /** What the group has for the partition. */
  readonly committed: { readonly offset: number; readonly metadata: string } | undefined
}

/** The committed offset, or a place that the broker turns into one. */
export type Start = { readonly offset: number } | { readonly place: OffsetPlace }

export function startOf({
  strategy,
  startTimestampMs,
  topologyId,
  committed,
}: StartQuestion): Start {
  if (committed !== undefined) {
    const isOwn = readMetadata(committed.metadata)?.topologyId === topologyId
    if (isOwn || strategy.startsWith('UNCOMMITTED_')) return { offset: committed.offset }
  }
  switch (strategy) {
    case 'EARLIEST':
    case 'UNCOMMITTED_EARLIEST':
      return { place: 'earliest' }
    case 'LATEST':
    case 'UNCOMMITTED_LATEST':
      return { place: 'latest' }
    case 'TIMESTAMP':
    case 'UNCOMMITTED_TIMESTAMP':
      return { place: { timestampMs: startTimestampMs } }
  }
}
