// What a Nimbus remembers of one topology, so that it, or another one, can go on after its own death: what was submitted, as
// a blob, and how it stands, as the text of a note. Both are kept where the topology's application is kept.
import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef, GearNote, GearNotes } from 'gearpump'
import { struct } from '../thrift/codec.ts'
import { decoded, encoded } from '../thrift/encoded.ts'
import { LogConfig } from '../thrift/storm-requests.ts'
import { StormTopology } from '../thrift/storm-topology.ts'
import { string } from '../thrift/wire-types.ts'
import type { Submission, Topology } from './topology.ts'

export const TOPOLOGY_NOTES = 'storm/topologies/'

/** What does not change. */
const Submitted = struct('Submitted', {
  name: [1, string],
  json_conf: [2, string],
  owner: [3, string],
  topology: [4, StormTopology],
})

/** What happens after a wait. */
export interface Pending {
  readonly kind: 'kill' | 'rebalance'
  /** ms since 1970. */
  readonly dueMs: number
  /** Of a rebalance. */
  readonly workers?: number | undefined
  readonly executors?: readonly (readonly [component: string, count: number])[]
}

export interface TopologyState {
  readonly id: string
  readonly name: string
  readonly startedMs: number
  readonly active: boolean
  readonly workers: number
  readonly executors: readonly (readonly [component: string, count: number])[]
  readonly pending: Pending | undefined
  /** As Thrift writes it, in base64. */
  readonly logConfig: string
}

/** Of a topology's note; ids may have letters that a note's name may not. */
export function noteName(id: string): string {
  return TOPOLOGY_NOTES + createHash('sha256').update(id).digest('hex')
}

export function stateText(topology: Topology, pending: Pending | undefined): string {
  const { id, name, startedMs, active, workers, executors, logConfig } = topology
  const state: TopologyState = {
    id,
    name,
    startedMs,
    active,
    workers,
    executors: [...executors],
    pending,
    logConfig: encoded(LogConfig, logConfig).toString('base64'),
  }
  return JSON.stringify(state)
}

export function stateOf({ text }: GearNote): TopologyState {
  return JSON.parse(text) as TopologyState
}

export function logConfigOf({ logConfig }: TopologyState): LogConfig {
  return decoded(LogConfig, Buffer.from(logConfig, 'base64'))
}

/** Puts what was submitted where every Nimbus finds it; `directory` is for a file on the way. */
export async function keepSubmission(
  notes: GearNotes,
  { name, jsonConf, user, message }: Submission,
  directory: string,
): Promise<BlobRef> {
  const file = join(directory, 'submitted')
  const value = { name, json_conf: jsonConf, owner: user, topology: message }
  await writeFile(file, encoded(Submitted, value), { mode: 0o600 })
  try {
    return await notes.upload(file)
  } finally {
    await rm(file, { force: true })
  }
}

/** What `keepSubmission` put there. */
export async function keptSubmission(
  notes: GearNotes,
  blob: BlobRef,
  file: string,
): Promise<Omit<Submission, 'active' | 'jar' | 'credentials'>> {
  await notes.download(blob, file)
  try {
    const { name, json_conf, owner, topology } = decoded(Submitted, await readFile(file))
    return { name, jsonConf: json_conf, user: owner, message: topology }
  } finally {
    await rm(file, { force: true })
  }
}
