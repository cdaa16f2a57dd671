// Java streams changed at random: each is read or refused, soon, and nothing else is thrown. GEARPUMP_SEED sets another course
// of changes; the soak run tries a million.

import test from 'ava'
import { EngineError } from '../../../../src/base/errors.ts'
import { readJavaStream } from '../../../../storm-compat/jvm/java-stream.ts'
import { readJavaComponent } from '../../../../storm-compat/jvm/shell-classes.ts'
import { drawer, mutateStream } from '../../../soak/java-mutation.ts'
import { allFixtures, fixture } from './_fixtures.ts'

const MUTATIONS = 50_000
const SEED = Number(process.env.GEARPUMP_SEED ?? 20_261_121) || 1
/** A stream of a few kilobytes is read in far less than a millisecond; this much is a hang. */
const SLOWEST_MS = 2_000

const streams: Buffer[] = allFixtures()
  .map(path => fixture(...(path.split('/') as [string, string])))
  .filter(bytes => bytes.length < 10_000)

function outcome(read: () => unknown): 'read' | 'refused' {
  try {
    read()
    return 'read'
  } catch (error) {
    if (error instanceof EngineError && error.code === 'JAVA_STREAM_INVALID') return 'refused'
    throw error
  }
}

test('50,000 changed streams are each read or refused', t => {
  t.timeout(600_000)
  // Most of the time would go into stacks of errors that nobody reads.
  Error.stackTraceLimit = 0
  const draw = drawer(SEED)
  const seen = { read: 0, refused: 0 }
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutateStream(streams[draw(streams.length)]!, draw)
    const startedMs = cpuMs()
    try {
      seen[outcome(() => readJavaStream(bytes))]++
      outcome(() => readJavaComponent(bytes))
    } catch (error) {
      t.fail(`change ${i}, ${bytes.toString('base64')}: ${error}`)
      throw error
    }
    if (cpuMs() - startedMs > SLOWEST_MS) t.fail(`slow: ${bytes.toString('base64')}`)
  }
  t.true(seen.read > MUTATIONS / 100 && seen.refused > MUTATIONS / 4, JSON.stringify(seen))
  t.log(seen)
})

// Not the clock on the wall: the machine may have other things to do.
function cpuMs(): number {
  return process.cpuUsage().user / 1000
}
