// Files to Nimbus: in chunks that fit the buffer of any Storm server.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { EngineError } from 'gearpump/spi'
import type { NimbusClient } from './verb.ts'

/** What Storm's own clients send at once; a server may take no more than 1 MiB. */
const CHUNK_BYTES = 307_200

/** Uploads a jar, or any file, as a topology's code. Resolves with its place on the Nimbus. */
export async function uploadFile(client: NimbusClient, file: string): Promise<string> {
  await checkFile(file)
  const location = await client.call('beginFileUpload', {})
  for await (const chunk of chunksOf(createReadStream(file))) {
    await client.call('uploadChunk', { location, chunk })
  }
  await client.call('finishFileUpload', { location })
  return location
}

/** Throws FILE_NOT_FOUND. */
export async function checkFile(file: string): Promise<void> {
  try {
    if ((await stat(file)).isFile()) return
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw notAFile(file, missing ? 'is not there' : (cause as Error).message, cause)
  }
  throw notAFile(file, 'is no file')
}

function notAFile(file: string, why: string, cause?: unknown): EngineError {
  return new EngineError('FILE_NOT_FOUND', `${file} ${why}`, {
    hint: 'give the path of a jar, or of any zip file with a folder resources/ in it',
    details: { file },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The same bytes in pieces of at most CHUNK_BYTES. */
export async function* chunksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
      yield piece.subarray(at, at + CHUNK_BYTES)
    }
  }
}
