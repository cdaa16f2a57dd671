// Java streams changed at random: each is read or refused, soon, and nothing else is thrown. GEARPUMP_MUTATIONS sets how
// many are tried (50,000; a soak tries 1,000,000), GEARPUMP_SEED another course of them.

import test from 'ava'
import { EngineError } from '../../../../src/base/errors.ts'
import { readJavaStream } from '../../../../storm-compat/jvm/java-stream.ts'
import { readJavaComponent } from '../../../../storm-compat/jvm/shell-classes.ts'
import { allFixtures, fixture } from './_fixtures.ts'

const MUTATIONS = Number(process.env.GEARPUMP_MUTATIONS ?? 50_000)
const SEED = Number(process.env.GEARPUMP_SEED ?? 20_261_121) || 1
/** A stream of a few kilobytes is read in far less than a millisecond; this much is a hang. */
const SLOWEST_MS = 2_000

/** Xorshift: the same numbers for the same seed. */
function drawer(seed: number): (below: number) => number {
  let state = seed | 0
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const streams: Buffer[] = allFixtures()
  .map(path => fixture(...(path.split('/') as [string, string])))
  .filter(bytes => bytes.length < 10_000)

// Values at the edges of lengths, counts and handles.
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff]

function mutate(bytes: Buffer, draw: (below: number) => number): Buffer {
  let mutated: Buffer = Buffer.from(bytes)
  for (let changes = 1 + draw(4); changes > 0; changes--) {
    const at = draw(mutated.length)
    const kind = draw(6)
    if (kind === 0) mutated[at] = draw(256)
    else if (kind === 1) mutated[at] = EDGES[draw(EDGES.length)]!
    else if (kind === 2) mutated[at] = 0x70 + draw(15)
    else if (kind === 3) mutated = mutated.subarray(0, at + 1)
    else if (kind === 4) mutated = splice(mutated, at, Buffer.alloc(0), 1 + draw(8))
    else {
      const from = draw(mutated.length)
      mutated = splice(mutated, at, mutated.subarray(from, from + 1 + draw(64)), 0)
    }
  }
  return mutated
}

function splice(bytes: Buffer, at: number, added: Buffer, removed: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
}

function outcome(read: () => unknown): 'read' | 'refused' {
  try {
    read()
    return 'read'
  } catch (error) {
    if (error instanceof EngineError && error.code === 'JAVA_STREAM_INVALID') return 'refused'
    throw error
  }
}

test(`${MUTATIONS} changed streams are each read or refused`, t => {
  t.timeout(600_000)
  // Most of the time would go into stacks of errors that nobody reads.
  Error.stackTraceLimit = 0
  const draw = drawer(SEED)
  const seen = { read: 0, refused: 0 }
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutate(streams[draw(streams.length)]!, draw)
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
