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

/** Numbers that Java made up of the class itself, which changed from 0.9 to 0.10: GlobalStreamId and ReturnResults. */
const UIDS_OF_0_9 = [7435893591567928871n, 2055228324628535122n]
const UIDS_OF_0_10 = [-9133290100397738193n, -774882142710631591n]
/** Those classes; the first is in every part of a DRPC topology. */
const TELLING = ['backtype.storm.generated.GlobalStreamId', 'backtype.storm.drpc.ReturnResults']
/** Of a number behind the name of its class. */
const UID_BYTES = 8

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
  const backtype = view.includes('backtype.storm.') || view.includes('backtype/storm/')
  return { backtype, uids: backtype ? [...uids, ...uidsWithin(view)] : uids }
}

// Those of objects that the component holds, wherever they are: a class is described by its name and then its number.
function uidsWithin(bytes: Buffer): bigint[] {
  return TELLING.flatMap(name => {
    const at = bytes.indexOf(name)
    const end = at + Buffer.byteLength(name)
    return at < 0 || end + UID_BYTES > bytes.length ? [] : [bytes.readBigInt64BE(end)]
  })
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
  const has = (some: readonly bigint[]) =>
    clues.some(({ uids }) => uids.some(u => some.includes(u)))
  if (clues.some(({ backtype }) => backtype)) {
    // Most components are the same bytes in both.
    return has(UIDS_OF_0_9) ? ['0.9'] : has(UIDS_OF_0_10) ? ['0.10'] : ['0.10', '0.9']
  }
  if (has(UIDS_OF_2)) return ['2']
  // No version was written before 1.1; clients that are not Storm's never write one.
  return ['1.0', '1.2', '2']
}

/** The package of Storm's classes. */
export function rootOf(line: StormLine): string {
  return line.startsWith('0.') ? 'backtype.storm' : 'org.apache.storm'
}
