// A topology that came over Thrift, as code that other processes can load: they get the topology value itself, since there is
// no file of the user's to import, and its resources directory as the bundle that travels.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { Application, CodeRef } from 'gearpump/spi'
import type { StormTopology } from '../topology/topology.ts'
import { translate } from '../translate/translate.ts'

/** Plain data: kept in the cluster's store, and read in each process. */
export interface SubmittedInput {
  /** The topology value, as base64 of Node's own serialisation: it has maps and 64-bit integers. */
  readonly topology: string
  readonly resources: string
  /** With the classes of its Java components, if it has some. */
  readonly jar?: string | undefined
  readonly startedMs: number
  /** Private directory of the process that loads it. */
  readonly runDir: string
  readonly logDir: string | undefined
}

export function submittedCode(
  topology: StormTopology,
  places: Omit<SubmittedInput, 'topology'>,
): CodeRef {
  const input: SubmittedInput = { ...places, topology: serialize(topology).toString('base64') }
  return { module: import.meta.url, export: 'loadSubmitted', input }
}

/** Called in each process of the application. */
export function loadSubmitted(input: SubmittedInput): Application {
  const topology = deserialize(Buffer.from(input.topology, 'base64')) as StormTopology
  const { resources, jar, startedMs, runDir, logDir } = input
  const pidDir = join(runDir, 'pids')
  // Bundles hold files: a folder without any, as of a jar with classes only, does not travel. Children are started in it.
  mkdirSync(resources, { recursive: true })
  const jars = jar === undefined ? [] : [jar]
  return translate(topology, { resources, jars, pidDir, startedMs, logDir }).application
}
