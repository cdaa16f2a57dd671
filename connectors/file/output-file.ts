// The files one sink task writes, one at a time: `NAME.open` while it grows, `NAME` when it is finished. A file is only ever
// added to, and never written over. What may go wrong: a write or sync that failed leaves the file in doubt; it is cut to
// what is known to be on the disk before anything else is written.
import { join } from 'node:path'
import { EngineError } from 'gearpump/spi'
import { type FileSystem, type OpenFile, systemCode } from './file-system.ts'

const OPEN_ENDING = '.open'
const SEQUENCE_DIGITS = 6
/** Bytes looked at in one go for the end of the last whole line. */
const TAIL_BYTES = 64 * 1024
/** Names in a row that may be taken: more of them are not ours, and something is wrong. */
const NAMES_TAKEN_MAX = 1000
const NEWLINE = 10

export interface OutputFilesOptions {
  readonly fileSystem: FileSystem
  readonly directory: string
  /** With `{sequence}` in it, and everything else filled in. */
  readonly name: string
}

export class OutputFiles {
  readonly #options: OutputFilesOptions
  #sequence = 1
  #handle: OpenFile | undefined = undefined
  // Path of the file that grows, or waits for its name.
  #path: string | undefined = undefined
  #synced = 0
  #doubtful = false

  constructor(options: OutputFilesOptions) {
    this.#options = options
  }

  /** Bytes in the present file that are on the disk; 0 when there is none. */
  get bytes(): number {
    return this.#path === undefined ? 0 : this.#synced
  }

  /** Finishes what a run that died has left: cuts a torn last line, and gives the file its name. */
  async recover(): Promise<string[]> {
    const { fileSystem, directory } = this.#options
    await fileSystem.makeDirectory(directory)
    const left: { sequence: number; path: string }[] = []
    let next = 1
    for (const name of await fileSystem.list(directory)) {
      const sequence = this.#sequenceOf(name)
      if (sequence === undefined) continue
      next = Math.max(next, sequence + 1)
      if (name.endsWith(OPEN_ENDING)) left.push({ sequence, path: join(directory, name) })
    }
    for (const { sequence, path } of left.sort((a, b) => a.sequence - b.sequence)) {
      this.#sequence = sequence
      this.#path = path
      this.#synced = await this.#cutTorn(path)
      await this.commit()
    }
    this.#sequence = Math.max(next, this.#sequence)
    return left.map(({ path }) => path)
  }

  /** Adds whole lines. They are on the disk when this resolves; when it rejects, none of them count. */
  async append(lines: Uint8Array): Promise<void> {
    if (this.#doubtful) await this.#repair()
    if (this.#handle === undefined) await this.#begin()
    this.#doubtful = true
    await this.#handle!.write(lines, this.#synced)
    await this.#handle!.sync()
    this.#doubtful = false
    this.#synced += lines.length
  }

  /** Finishes the present file, if there is one: it gets its name. May be called again when it rejected. */
  async commit(): Promise<void> {
    const { fileSystem, directory } = this.#options
    const path = this.#path
    if (path === undefined) return
    if (this.#doubtful) await this.#repair()
    await this.#close()
    if (this.#path === undefined) return
    if (this.#synced === 0) await fileSystem.remove(path)
    else {
      try {
        await this.#rename(path)
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error
        const lost = this.#synced
        this.#path = undefined
        throw vanished(path, lost)
      }
    }
    await fileSystem.syncDirectory(directory)
    this.#path = undefined
    this.#sequence++
  }

  /** Leaves the present file as it is, for a later run to finish. */
  async leave(): Promise<void> {
    await this.#close()
    this.#path = undefined
  }

  async #rename(path: string): Promise<void> {
    const wanted = path.slice(0, -OPEN_ENDING.length)
    if (await this.#options.fileSystem.rename(path, wanted)) return
    for (let taken = 1; taken < NAMES_TAKEN_MAX; taken++) {
      if (await this.#options.fileSystem.rename(path, this.#named(++this.#sequence))) return
    }
    throw nameTaken(wanted)
  }

  async #begin(): Promise<void> {
    const { fileSystem, directory } = this.#options
    for (let taken = 0; taken < NAMES_TAKEN_MAX; taken++) {
      const path = this.#named(this.#sequence) + OPEN_ENDING
      try {
        this.#handle = await fileSystem.open(path, 'create')
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error
        this.#sequence++
        continue
      }
      this.#path = path
      this.#synced = 0
      // Nothing counts as written while the name could be lost; a failure here is repaired as one of a write.
      this.#doubtful = true
      await fileSystem.syncDirectory(directory)
      return
    }
    throw nameTaken(this.#named(this.#sequence))
  }

  // Opens it anew: after a sync that failed nothing that the old handle says can be trusted.
  async #repair(): Promise<void> {
    const { fileSystem, directory } = this.#options
    await this.#close()
    if ((await fileSystem.stat(this.#path!)) === undefined) {
      const path = this.#path!
      const lost = this.#synced
      this.#path = undefined
      this.#doubtful = false
      if (lost > 0) throw vanished(path, lost)
      return
    }
    const handle = await fileSystem.open(this.#path!, 'change')
    this.#handle = handle
    await handle.truncate(this.#synced)
    await handle.sync()
    await fileSystem.syncDirectory(directory)
    this.#doubtful = false
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  // Cuts what comes after the last newline. Returns what is left.
  async #cutTorn(path: string): Promise<number> {
    const handle = await this.#options.fileSystem.open(path, 'change')
    try {
      const { size } = await handle.stat()
      const whole = await wholeLines(handle, size)
      if (whole < size) await handle.truncate(whole)
      await handle.sync()
      return whole
    } finally {
      await handle.close()
    }
  }

  #named(sequence: number): string {
    const number = String(sequence).padStart(SEQUENCE_DIGITS, '0')
    return join(
      this.#options.directory,
      this.#options.name.replace('{sequence}', () => number),
    )
  }

  #sequenceOf(name: string): number | undefined {
    const [before, after] = this.#options.name.split('{sequence}') as [string, string]
    const closed = name.endsWith(OPEN_ENDING) ? name.slice(0, -OPEN_ENDING.length) : name
    if (!closed.startsWith(before) || !closed.endsWith(after)) return undefined
    const number = closed.slice(before.length, closed.length - after.length)
    return /^\d{1,15}$/.test(number) ? Number(number) : undefined
  }
}

async function wholeLines(handle: OpenFile, size: number): Promise<number> {
  const buffer = Buffer.alloc(TAIL_BYTES)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - TAIL_BYTES)
    let bytes = 0
    while (bytes < end - start) {
      const read = await handle.read(buffer, bytes, end - start - bytes, start + bytes)
      if (read === 0) break
      bytes += read
    }
    const newline = buffer.subarray(0, bytes).lastIndexOf(NEWLINE)
    if (newline >= 0) return start + newline + 1
    end = start
  }
  return 0
}

function nameTaken(path: string): EngineError {
  return new EngineError('FILE_FAILED', `${path} and ${NAMES_TAKEN_MAX} names after it are taken`, {
    hint: 'another sink writes under the same names: give each its own directory or {processor}',
    details: { path },
  })
}

function vanished(path: string, bytes: number): EngineError {
  return new EngineError('FILE_FAILED', `${path} was removed with ${bytes} bytes that were done`, {
    hint: 'only take away files without the ending .open; the sink goes on in a new file',
    details: { path, bytes },
  })
}
