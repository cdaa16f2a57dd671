// Writes a zip to an open file, one stored entry after the other: the content first, and its header, which needs size
// and checksum, into the gap before it. So each file is read once, and never held in memory.
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import {
  centralHeader,
  endRecord,
  LOCAL_BYTES,
  localHeader,
  STORED,
  type ZipEntry,
} from './zip-format.ts'

export class ZipWriter {
  readonly #file: FileHandle
  readonly #central: Buffer[] = []
  #offset = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#offset
  }

  /** `onBytes` is told how large the entry has become, and may throw. */
  async add(
    file: { readonly name: string; readonly executable: boolean },
    content: AsyncIterable<Uint8Array>,
    onBytes: (sizeBytes: number) => void,
  ): Promise<void> {
    const offset = this.#offset
    const start = offset + LOCAL_BYTES + Buffer.byteLength(file.name)
    let crc = 0
    let sizeBytes = 0
    for await (const chunk of content) {
      onBytes(sizeBytes + chunk.length)
      await writeAll(this.#file, chunk, start + sizeBytes)
      crc = crc32(chunk, crc)
      sizeBytes += chunk.length
    }
    const { name, executable } = file
    const sizes = { packedBytes: sizeBytes, sizeBytes }
    const entry: ZipEntry = { name, executable, method: STORED, crc, offset, ...sizes }
    await writeAll(this.#file, localHeader(entry), offset)
    this.#central.push(centralHeader(entry))
    this.#offset = start + sizeBytes
  }

  async finish(): Promise<void> {
    const directory = Buffer.concat(this.#central)
    const end = endRecord(this.#central.length, directory.length, this.#offset)
    await writeAll(this.#file, Buffer.concat([directory, end]), this.#offset)
    this.#offset += directory.length + end.length
  }
}

/** One write may take less than it is given. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const rest = bytes.length - written
    written += (await file.write(bytes, written, rest, at + written)).bytesWritten
  }
}
