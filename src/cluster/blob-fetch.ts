// Fetches a bundle from another node, chunk by chunk, over whatever the caller has to ask with. A chunk that fails is
// asked for again after a while; when that does not help, what has come is kept, and the next fetch (perhaps from
// another node) goes on from there. Callers who want the same bundle share one fetch.
import { Backoff } from '../base/backoff.ts'
import { type Environment, realEnvironment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import type { BlobStore } from './blob-store.ts'
import type { BlobWriter } from './blob-writer.ts'

/** Asks a node for at most `bytes` from `offset`. Must reject in bounded time when the node does not answer. */
export type ReadChunk = (offset: number, bytes: number) => Promise<Buffer>

export interface FetchOptions {
  readonly environment?: Environment
}

/** A few frames' worth: large enough to fill a network, small enough to be asked for again. */
export const FETCH_CHUNK_BYTES = 256 << 10
/** Failures in a row at the same place; then the node is given up. */
const FAILURES_MAX = 5

/**
 * Brings blob `hash` into the store. Resolves when it is there; rejects with BLOB_FETCH_FAILED when the node does not give
 * it, and with BUNDLE_CORRUPT when it gives another content.
 *
 * @example await fetchBlob(store, hash, sizeBytes, (offset, bytes) => master.ask({ hash, offset, bytes }))
 */
export async function fetchBlob(
  store: BlobStore,
  hash: string,
  sizeBytes: number,
  readChunk: ReadChunk,
  options: FetchOptions = {},
): Promise<void> {
  if (store.has(hash)) return
  const environment = options.environment ?? realEnvironment
  await store.shared(hash, () => fetchAlone(environment, { store, hash, sizeBytes, readChunk }))
}

interface Wanted {
  readonly store: BlobStore
  readonly hash: string
  readonly sizeBytes: number
  readonly readChunk: ReadChunk
}

async function fetchAlone(environment: Environment, wanted: Wanted): Promise<void> {
  const { store, hash, sizeBytes } = wanted
  const kept = store.takeKept(hash)
  const writer = kept ?? store.newWriter(hash)
  try {
    await fetchRest(environment, wanted, writer)
  } catch (error) {
    const canGoOn = error instanceof EngineError && error.code === 'BLOB_FETCH_FAILED'
    if (canGoOn && writer.sizeBytes > 0) await store.keep(hash, writer)
    else await writer.discard()
    throw error
  }
  // Of two nodes that gave a part each, one may have had an altered copy: that is no reason to refuse the other.
  if (kept !== undefined && (writer.hash !== hash || writer.sizeBytes !== sizeBytes)) {
    await writer.discard()
    return fetchAlone(environment, wanted)
  }
  await store.finish(writer, hash)
}

async function fetchRest(
  environment: Environment,
  { hash, sizeBytes, readChunk }: Wanted,
  writer: BlobWriter,
): Promise<void> {
  let backoff = newBackoff()
  while (writer.sizeBytes < sizeBytes) {
    const offset = writer.sizeBytes
    const chunk = await asked(readChunk, offset, Math.min(FETCH_CHUNK_BYTES, sizeBytes - offset))
    if (chunk instanceof Error) {
      const waitMs = backoff.failed(environment.monotonicMs())
      if (backoff.failures >= FAILURES_MAX) throw givenUp(hash, offset, sizeBytes, chunk)
      await new Promise<void>(resolve => void environment.after(waitMs, resolve))
    } else {
      await writer.append(chunk)
      backoff = newBackoff()
    }
  }
}

// Only a chunk that came forgets failures, not a long wait for one that did not.
function newBackoff(): Backoff {
  return new Backoff({ healthyMs: Infinity })
}

async function asked(readChunk: ReadChunk, offset: number, bytes: number): Promise<Buffer | Error> {
  try {
    const chunk = await readChunk(offset, bytes)
    if (chunk.length > 0 && chunk.length <= bytes) return chunk
    return new Error(`it gave ${chunk.length} bytes where 1 to ${bytes} were asked for`)
  } catch (thrown) {
    return asError(thrown)
  }
}

function givenUp(hash: string, offset: number, sizeBytes: number, cause: Error): EngineError {
  return new EngineError(
    'BLOB_FETCH_FAILED',
    `bundle ${hash} could not be fetched beyond ${offset} of ${sizeBytes} bytes: ${cause.message}`,
    { cause, hint: 'try again, or another node: it goes on from there', details: { hash, offset } },
  )
}
