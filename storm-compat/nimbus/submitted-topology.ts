// A topology that came over Thrift, as code that other processes can load. There is no file of the user's to import, so the
// topology value itself is written into one, beside the resources and the jar; their folder is the bundle that travels. In the
// application's record it would not do: serialised components are as large as their users please, and the store takes 1 MB.
import { mkdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { Application, CodeRef } from 'gearpump/spi'
import type { StormTopology } from '../topology/topology.ts'
import { translate } from '../translate/translate.ts'

/** Plain data: kept in the cluster's store, and read in each process. */
export interface SubmittedInput {
  /** A file with the topology value in Node's own serialisation: it has maps and 64-bit integers. */
  readonly topology: string
  /** In the folder of that file. */
  readonly resources: string
  /** With the classes of its Java components, if it has some. */
  readonly jar?: string | undefined
  readonly startedMs: number
  /** Private directory of the process that loads it. */
  readonly runDir: string
  readonly logDir: string | undefined
}

export async function submittedCode(
  topology: StormTopology,
  places: Omit<SubmittedInput, 'topology'>,
): Promise<CodeRef> {
  const input: SubmittedInput = { ...places, topology: join(dirname(places.resources), 'topology') }
  await writeFile(input.topology, serialize(topology), { mode: 0o600 })
  return { module: import.meta.url, export: 'loadSubmitted', input }
}

/** Called in each process of the application. */
export function loadSubmitted(input: SubmittedInput): Application {
  const topology = deserialize(readFileSync(input.topology)) as StormTopology
  const { resources, jar, startedMs, runDir, logDir } = input
  const pidDir = join(runDir, 'pids')
  // Bundles hold files: a folder without any, as of a jar with classes only, does not travel. Children are started in it.
  mkdirSync(resources, { recursive: true })
  const jars = jar === undefined ? [] : [jar]
  return translate(topology, { resources, jars, pidDir, startedMs, logDir }).application
}
