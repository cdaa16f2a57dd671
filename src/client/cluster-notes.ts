// Notes and blobs of a gateway, as a client reads and writes them: everything goes to whichever master leads.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import type { ActorRef } from '../actor/actor.ts'
import { EngineError } from '../base/errors.ts'
import type { GearDoor } from '../cluster/messages.ts'
import type { BlobRef, GearNote, GearNotes } from './gear.ts'

const CHUNK_BYTES = 256 << 10
/** The masters copy the blobs of a note first. */
const WRITE_TIMEOUT_MS = 60_000

/** Asks the leader, and another one after a change of leaders. */
export type AskLeader = <T>(what: (leader: ActorRef<GearDoor>) => Promise<T>) => Promise<T>

export class ClusterNotes implements GearNotes {
  readonly #ask: AskLeader

  constructor(ask: AskLeader) {
    this.#ask = ask
  }

  list(prefix: string): Promise<readonly GearNote[]> {
    return this.#ask(leader => leader.ask('notes', prefix))
  }

  write(name: string, text: string, blobs: readonly BlobRef[] = []): Promise<number> {
    return this.#ask(leader => leader.within(WRITE_TIMEOUT_MS).ask('writeNote', name, text, blobs))
  }

  remove(name: string): Promise<void> {
    return this.#ask(leader => leader.ask('removeNote', name))
  }

  async upload(file: string): Promise<BlobRef> {
    const { size: sizeBytes } = await stat(file)
    if (sizeBytes === 0) throw new EngineError('BAD_INPUT', `${file} is empty: it is no blob`)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
    const blob = { hash: hash.digest('hex'), sizeBytes }
    await sendBlob(file, blob, this.#ask)
    return blob
  }

  async download(blob: BlobRef, file: string): Promise<void> {
    const handle = await open(file, 'wx', 0o600)
    const hash = createHash('sha256')
    try {
      for (let offset = 0; offset < blob.sizeBytes; ) {
        const at = offset
        const bytes = await this.#ask(leader => leader.ask('readBlob', blob, at, CHUNK_BYTES))
        if (bytes.length === 0) break
        await handle.write(bytes)
        hash.update(bytes)
        offset += bytes.length
      }
      if (hash.digest('hex') === blob.hash) return
      throw new EngineError('BUNDLE_CORRUPT', `what came for blob ${blob.hash} is something else`)
    } catch (error) {
      await rm(file, { force: true })
      throw error
    } finally {
      await handle.close()
    }
  }
}

/** Sends a file whose hash is known. The leader says how much it has; after a change of leaders that may be less than was sent. */
export async function sendBlob(file: string, blob: BlobRef, ask: AskLeader): Promise<void> {
  const handle = await open(file, 'r')
  try {
    let held = await ask(leader => leader.ask('writeBlob', blob, 0, new Uint8Array(0)))
    while (held < blob.sizeBytes) {
      const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, blob.sizeBytes - held))
      await handle.read(buffer, 0, buffer.length, held)
      const offset = held
      held = await ask(leader => leader.ask('writeBlob', blob, offset, buffer))
    }
  } finally {
    await handle.close()
  }
}
