// Java object streams, changed at random: each is read or refused as JAVA_STREAM_INVALID, no one takes long, and the memory
// stays flat.
import { readdirSync, readFileSync } from 'node:fs'
import { EngineError } from 'gearpump'
import { readJavaStream } from '../../../storm-compat/jvm/java-stream.ts'
import { readJavaComponent } from '../../../storm-compat/jvm/shell-classes.ts'
import { Findings } from '../findings.ts'
import { drawer, mutateStream } from '../java-mutation.ts'
import { family, residentMbOf } from '../machine.ts'

export interface JavaFuzzSize {
  readonly streams: number
  readonly seed: number
  readonly growthMbMax: number
  /** Of processor time, for one stream. */
  readonly slowestMsMax: number
}

const FIXTURES = new URL('../../fixtures/java/', import.meta.url)
/** Longer ones would only take longer. */
const BYTES_MAX = 10_000

export async function javaFuzz(size: JavaFuzzSize): Promise<Findings> {
  const findings = new Findings()
  const originals = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.bin'))
    .map(name => readFileSync(new URL(name, FIXTURES)))
    .filter(bytes => bytes.length <= BYTES_MAX)
  const draw = drawer(size.seed)
  const residentMb = () => residentMbOf(family())
  let warmMb = 0
  let refused = 0
  let slowestMs = 0
  const startMs = performance.now()
  for (let done = 0; done < size.streams; done++) {
    if (done === Math.floor(size.streams / 5)) warmMb = residentMb()
    const bytes = mutateStream(originals[draw(originals.length)]!, draw)
    const startedMs = cpuMs()
    if (isRefused(() => readJavaStream(bytes))) refused++
    isRefused(() => readJavaComponent(bytes))
    slowestMs = Math.max(slowestMs, cpuMs() - startedMs)
  }
  findings.note('streams', size.streams)
  findings.note('refused', refused)
  findings.note('streams_per_sec', (1000 * size.streams) / (performance.now() - startMs))
  findings.atMost('slowest_ms', slowestMs, size.slowestMsMax)
  findings.atMost('growth_mb', residentMb() - warmMb, size.growthMbMax)
  return findings
}

// What else is thrown ends the case.
function isRefused(read: () => unknown): boolean {
  try {
    read()
    return false
  } catch (error) {
    if (error instanceof EngineError && error.code === 'JAVA_STREAM_INVALID') return true
    throw error
  }
}

function cpuMs(): number {
  return process.cpuUsage().user / 1000
}
