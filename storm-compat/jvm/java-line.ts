// Which line of Storm a serialised component belongs to. Bytes of one line cannot be read with the jars of another, so the line
// decides the class path. A topology says its version since Storm 1.1; before, the package in the bytes and the
// serialVersionUIDs that are written for Storm's own classes tell as much as is needed. Pure.
import { EngineError } from 'gearpump/spi'
import type { JavaClass } from './java-nodes.ts'
import { readJavaClass } from './java-stream.ts'

/** `1.2` is 1.1 and 1.2, `2` is all of 2.x. */
export type StormLine = '0.9' | '0.10' | '1.0' | '1.2' | '2'

/** What one component tells. */
export interface LineClues {
  readonly backtype: boolean
  readonly uids: readonly bigint[]
}

/** BasicBoltExecutor, PartialKeyGrouping, ShellBolt, WindowedBoltExecutor as the jars of 2.x have them. */
const UIDS_OF_2 = [
  -3561633051094462852n,
  -1672360572274911808n,
  -339575186639193348n,
  2787349253237013276n,
]

/** The line of a version such as `2.8.1`; undefined if it is no version of Storm's. */
export function lineOfVersion(version: string): StormLine | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  if (major === '0') return minor === '9' ? '0.9' : minor === '10' ? '0.10' : undefined
  if (major === '1') return minor === '0' ? '1.0' : '1.2'
  return major === undefined ? undefined : '2'
}

/** What the bytes of a component tell of their line. */
export function cluesOf(bytes: Uint8Array): LineClues {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const uids: bigint[] = []
  for (let at = classOf(bytes); at !== null; at = at.superclass) {
    if (at.serialVersionUid !== undefined) uids.push(at.serialVersionUid)
  }
  return { backtype: view.includes('backtype.storm.') || view.includes('backtype/storm/'), uids }
}

// Bytes that cannot be read tell nothing; Java will say what is wrong with them.
function classOf(bytes: Uint8Array): JavaClass | null {
  try {
    return readJavaClass(bytes) ?? null
  } catch (error) {
    if (error instanceof EngineError && error.code === 'JAVA_STREAM_INVALID') return null
    throw error
  }
}

/** The lines that can host a topology, the likeliest first. */
export function linesOf(version: string | undefined, clues: readonly LineClues[]): StormLine[] {
  const told = version === undefined ? undefined : lineOfVersion(version)
  if (told !== undefined) return [told]
  // 0.9 and 0.10 have the same classes and numbers.
  if (clues.some(({ backtype }) => backtype)) return ['0.10', '0.9']
  if (clues.some(({ uids }) => uids.some(uid => UIDS_OF_2.includes(uid)))) return ['2']
  // No version was written before 1.1; clients that are not Storm's never write one.
  return ['1.0', '1.2', '2']
}

/** The package of Storm's classes. */
export function rootOf(line: StormLine): string {
  return line.startsWith('0.') ? 'backtype.storm' : 'org.apache.storm'
}
