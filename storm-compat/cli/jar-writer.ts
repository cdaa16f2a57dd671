// Writes a folder into a jar, as `jar cf FILE FOLDER` does: `storm shell` needs no JDK. Entries are deflated, names have /,
// links are followed. Files stream through, one after the other.
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { crc32, createDeflateRaw } from 'node:zlib'
import { EngineError } from 'gearpump/spi'

/** Without the 64-bit extension of the format; Nimbus takes no more either. */
const BYTES_MAX = 0xffffffff
const ENTRIES_MAX = 65_535
/** Links could lead in circles. */
const DEPTH_MAX = 64

const VERSION = 20
/** Sizes follow the data, names are UTF-8. */
const FLAGS = 0x0808
const DEFLATED = 8
/** 1 January 1980: the same folder gives the same jar. */
const DATE = 0x21
const MADE_ON_UNIX = (3 << 8) | VERSION

interface Written {
  readonly name: Buffer
  readonly mode: number
  readonly crc: number
  readonly packed: number
  readonly bytes: number
  readonly offset: number
}

/** `folder` as the user wrote it is the beginning of every name: `resources/split.py`. */
export async function writeJar(file: string, folder: string, cwd: string): Promise<void> {
  const root = resolve(cwd, folder)
  const found = await filesIn(root)
  const prefix = prefixOf(root, cwd)
  const handle = await open(file, 'wx')
  try {
    const jar = new JarFile(handle)
    for (const path of found) {
      const name = `${prefix}/${relative(root, path).split(sep).join('/')}`
      await jar.add(name, path)
    }
    await jar.finish()
  } finally {
    await handle.close()
  }
}

// Of a folder outside, only its own name: Nimbus looks for resources/ at the top.
function prefixOf(root: string, cwd: string): string {
  const way = relative(cwd, root)
  const inside = way !== '' && !way.startsWith('..') && way !== root
  return (inside ? way : root.slice(root.lastIndexOf(sep) + 1)).split(sep).join('/')
}

async function filesIn(root: string): Promise<string[]> {
  const found: string[] = []
  const folders: { path: string; depth: number }[] = [{ path: root, depth: 0 }]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    if (next.depth > DEPTH_MAX) throw refused(next.path, `lies deeper than ${DEPTH_MAX} folders`)
    for (const name of (await namesIn(next.path)).sort()) {
      const path = join(next.path, name)
      const { isFolder, isFile } = await kindOf(path)
      if (isFolder) folders.push({ path, depth: next.depth + 1 })
      else if (isFile) found.push(path)
    }
    if (found.length > ENTRIES_MAX) throw refused(root, `holds more than ${ENTRIES_MAX} files`)
  }
  return found
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw refused(folder, `is no folder that can be read: ${(cause as Error).message}`, cause)
  }
}

async function kindOf(path: string): Promise<{ isFolder: boolean; isFile: boolean }> {
  const found = await stat(path)
  return { isFolder: found.isDirectory(), isFile: found.isFile() }
}

function refused(path: string, why: string, cause?: unknown): EngineError {
  return new EngineError('BAD_INPUT', `${path} ${why}`, {
    hint: 'give the folder with what the components need, as in storm shell resources/ python3 topology.py',
    ...(cause === undefined ? {} : { cause }),
  })
}

class JarFile {
  readonly #handle: FileHandle
  readonly #written: Written[] = []
  #offset = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async add(entry: string, path: string): Promise<void> {
    const name = Buffer.from(entry)
    const { mode } = await stat(path)
    const offset = this.#offset
    await this.#put(localHeader(name))
    const before = this.#offset
    let crc = 0
    let bytes = 0
    const source = createReadStream(path)
    source.on('data', chunk => {
      crc = crc32(chunk, crc)
      bytes += chunk.length
    })
    const packing = createDeflateRaw()
    source.once('error', error => packing.destroy(error))
    for await (const chunk of source.pipe(packing)) await this.#put(chunk as Buffer)
    const packed = this.#offset - before
    const written = { name, mode, crc, packed, bytes, offset }
    if (bytes > BYTES_MAX || this.#offset > BYTES_MAX) {
      throw refused(path, 'makes the jar larger than 4 GiB')
    }
    await this.#put(sizesAfter(written))
    this.#written.push(written)
  }

  async finish(): Promise<void> {
    const start = this.#offset
    for (const written of this.#written) await this.#put(directoryEntry(written))
    await this.#put(endRecord(this.#written.length, start, this.#offset - start))
  }

  async #put(bytes: Buffer): Promise<void> {
    await this.#handle.write(bytes)
    this.#offset += bytes.length
  }
}

function localHeader(name: Buffer): Buffer {
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(VERSION, 4)
  header.writeUInt16LE(FLAGS, 6)
  header.writeUInt16LE(DEFLATED, 8)
  header.writeUInt16LE(DATE, 12)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, name])
}

function sizesAfter({ crc, packed, bytes }: Written): Buffer {
  const sizes = Buffer.alloc(16)
  sizes.writeUInt32LE(0x08074b50, 0)
  sizes.writeUInt32LE(crc, 4)
  sizes.writeUInt32LE(packed, 8)
  sizes.writeUInt32LE(bytes, 12)
  return sizes
}

function directoryEntry({ name, mode, crc, packed, bytes, offset }: Written): Buffer {
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(MADE_ON_UNIX, 4)
  entry.writeUInt16LE(VERSION, 6)
  entry.writeUInt16LE(FLAGS, 8)
  entry.writeUInt16LE(DEFLATED, 10)
  entry.writeUInt16LE(DATE, 14)
  entry.writeUInt32LE(crc, 16)
  entry.writeUInt32LE(packed, 20)
  entry.writeUInt32LE(bytes, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt16LE(mode, 40)
  entry.writeUInt32LE(offset, 42)
  return Buffer.concat([entry, name])
}

function endRecord(count: number, offset: number, bytes: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(bytes, 12)
  end.writeUInt32LE(offset, 16)
  return end
}
