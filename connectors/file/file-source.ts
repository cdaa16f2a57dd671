// The file source: reads the files that were dealt to its task, one after the other, and emits their lines or blocks. What
// is open is kept in memory for a replay; where each file stands is the source's position, so that after a crash only
// what was not done is read again. Reading goes on in the background: `next` never waits for the disk.
import {
  asError,
  EngineError,
  type Source,
  type SourceContext,
  type SourceSpiContext,
} from 'gearpump/spi'
import { BlockSplitter, type Splitter } from './block-splitter.ts'
import { fileFailed, lineTooLong, notFound } from './file-errors.ts'
import { FileSet } from './file-set.ts'
import { type FileSystem, realFileSystem, systemCode } from './file-system.ts'
import { LineSplitter } from './line-splitter.ts'
import { OpenMessages } from './open-messages.ts'
import { ReadAhead, type Stretch } from './read-ahead.ts'
import {
  type FileSourceOptions,
  type FileSourceSettings,
  sourceSettings,
} from './source-options.ts'
import { filePositions, type TrackedFile } from './tracked-file.ts'

/** Messages per `next`: enough to pay for the call, few enough to let others have their turn. */
const BATCH = 64
/** Chunks of one followed file before another gets its turn. */
const CHUNKS_IN_A_ROW = 16
/** Reading that failed is tried again after this wait, doubled each time up to a bound. */
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 30_000
/** Lines too long that are reported one by one; after that the figure `oversizeLines` goes on alone. */
const LONG_LINES_TOLD_MAX = 20
/** Where lines go that are too long. */
const OVERSIZE_PORT = 'oversize'
const BYTE_ORDER_MARK = 0xfeff

/** What goes to the port `oversize` in place of a line that is too long. */
export interface OversizeLine {
  readonly path: string
  readonly offset: number
  readonly bytes: number
}

/** What a file connector stands on; the real one if not given. */
export interface FileParts {
  readonly fileSystem?: FileSystem
}

/**
 * Declares a source that reads files, for `source()`: every line a string, or blocks of bytes. At-least-once: a line is
 * read again unless everything it caused is done. Throws a UserError that lists all mistakes in the options.
 *
 * @example
 * source('lines', fileSource({ glob: '/var/log/nginx/*.log', tail: true }), { parallelism: 2 })
 */
export function fileSource(
  options: FileSourceOptions & { readonly format: 'bytes' },
  parts?: FileParts,
): () => Source<Buffer>
export function fileSource(options: FileSourceOptions, parts?: FileParts): () => Source<string>
export function fileSource(options: FileSourceOptions, parts: FileParts = {}): () => Source<never> {
  const settings = sourceSettings(options)
  const { fileSystem = realFileSystem } = parts
  return () => new FileSource(settings, fileSystem)
}

class FileSource implements Source<never> {
  readonly #settings: FileSourceSettings
  readonly #fileSystem: FileSystem
  readonly #ahead: ReadAhead
  readonly #splitter: Splitter
  #context: SourceSpiContext | undefined = undefined
  #files: FileSet | undefined = undefined
  #open: OpenMessages | undefined = undefined
  /** The file that is read now, where the stretch ends, and whether all of it was read. */
  #active: TrackedFile | undefined = undefined
  #stretchEnd = 0
  #atEnd = false
  #longLines = 0
  #looking = false
  #closed = false
  readonly #background = new Set<Promise<void>>()

  constructor(settings: FileSourceSettings, fileSystem: FileSystem) {
    this.#settings = settings
    this.#fileSystem = fileSystem
    const { format, chunkBytes, blockBytes, lineBytesMax } = settings
    const lines = format === 'lines'
    this.#splitter = lines ? new LineSplitter(settings) : new BlockSplitter(blockBytes)
    this.#ahead = new ReadAhead({
      chunkBytes,
      restBytesMax: lines ? lineBytesMax : blockBytes,
      onReady: () => this.#context?.wake(),
    })
  }

  async open(given: SourceContext<never>): Promise<void> {
    const context = given as unknown as SourceSpiContext
    this.#context = context
    const positions = filePositions(context.position)
    if (positions === undefined) throw foreignPosition(context)
    this.#open = new OpenMessages(this.#settings.openMax, (delayMs, fn) => {
      context.scheduleOnce(delayMs, () => {
        fn()
        context.wake()
      })
    })
    this.#files = new FileSet({
      fileSystem: this.#fileSystem,
      settings: this.#settings,
      index: context.index,
      parallelism: context.parallelism,
      positions,
      log: (level, text) => context.log(level, text),
      report: error => context.report(error),
    })
    try {
      await this.#files.look()
    } catch (error) {
      await this.#files.close()
      throw error
    }
    if (this.#settings.tail) context.schedule(this.#settings.pollMs, () => this.#look())
  }

  next(out: SourceContext<never>): boolean | 'end' {
    const open = this.#open!
    for (let k = 0; k < BATCH; k++) {
      const again = open.takeDue()
      if (again !== undefined) {
        const { value, port } = open.message(again)
        out.output(value as never, again, port)
        continue
      }
      if (open.full) return false
      const value = this.#take()
      if (value === undefined) return this.#nothing()
      this.#emit(out, value)
    }
    return true
  }

  done(id: unknown): void {
    const open = this.#open!
    const full = open.full
    open.done(id as number)
    if (full || open.size === 0) this.#context!.wake()
  }

  fail(id: unknown): void {
    this.#open!.fail(id as number)
  }

  position(): unknown {
    return { version: 1, files: this.#files?.positions ?? [] }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#background)
    await this.#ahead.settled()
    await this.#files?.close()
  }

  // ---- lines

  #emit(out: SourceContext<never>, value: unknown): void {
    const splitter = this.#splitter
    const file = this.#active!
    if (splitter.tooLong) {
      this.#emitLong(out, file)
      return
    }
    const plain =
      splitter.start === 0 && typeof value === 'string' && value.charCodeAt(0) === BYTE_ORDER_MARK
        ? value.slice(1)
        : value
    out.output(plain as never, this.#open!.add(plain, undefined, file, splitter))
  }

  #emitLong(out: SourceContext<never>, file: TrackedFile): void {
    const { start, end } = this.#splitter
    const context = this.#context!
    this.#longLines++
    context.metric('oversizeLines', this.#longLines)
    if (context.outlet(OVERSIZE_PORT) !== undefined) {
      const told: OversizeLine = { path: file.path, offset: start, bytes: end - start }
      out.output(
        told as never,
        this.#open!.add(told, OVERSIZE_PORT, file, { start, end }),
        OVERSIZE_PORT,
      )
      return
    }
    file.ranges.add(start, end)
    if (this.#longLines <= LONG_LINES_TOLD_MAX)
      context.report(lineTooLong(file.path, start, end - start, this.#settings.lineBytesMax))
  }

  // The next line or block; undefined when there is none now.
  #take(): unknown {
    const splitter = this.#splitter
    for (;;) {
      const piece = this.#active === undefined ? undefined : splitter.take()
      if (piece !== undefined) return piece
      if (this.#atEnd) {
        const rest = this.#restCounts ? splitter.takeRest() : undefined
        if (rest !== undefined) return rest
        this.#leave()
      } else if (!this.#advance()) return undefined
    }
  }

  // Blocks are cut wherever a file ends for now. A line waits for its end, unless what follows it is done.
  get #restCounts(): boolean {
    const { offset, rest } = this.#splitter
    if (offset + rest.to - rest.from === this.#stretchEnd) return true
    return this.#settings.format === 'bytes' || this.#active!.ending
  }

  #nothing(): false | 'end' {
    return this.#files!.finished && this.#open!.size === 0 ? 'end' : false
  }

  // ---- files

  // Goes on reading: true = there may be something now.
  #advance(): boolean {
    const file = this.#active
    if (file === undefined) {
      const next = this.#files!.readable()
      // One step at a time: what is under way wakes the source when it has ended.
      if (next !== undefined && !this.#closed && this.#background.size === 0) this.#enter(next)
      return false
    }
    if (this.#stretchEnd === ENTERING) return false
    try {
      const chunk = this.#ahead.take(this.#splitter.rest)
      if (chunk === 'waiting') return false
      file.errors = 0
      if (chunk === 'enough') this.#leave()
      else if (chunk === 'end') this.#atEnd = true
      else this.#splitter.feed(chunk)
    } catch (error) {
      this.#failed(file, error)
    }
    return true
  }

  // Begins to read a file where it was left.
  #enter(file: TrackedFile): void {
    this.#active = file
    this.#stretchEnd = ENTERING
    this.#run(async () => {
      try {
        await this.#ahead.settled()
        file.handle ??= await this.#opened(file)
        const gap = file.ranges.gap(file.next)
        const inLong = file.longStart >= 0 && gap.start === file.next
        this.#splitter.reset(gap.start, inLong ? file.longStart : -1)
        this.#stretchEnd = gap.end
        this.#atEnd = false
        this.#ahead.begin(file.handle, this.#settings.tail ? followed(file, gap) : gap)
      } catch (error) {
        this.#failed(file, error)
      }
    })
  }

  async #opened(file: TrackedFile) {
    const handle = await this.#fileSystem.open(file.path, 'read')
    const { inode } = await handle.stat()
    if (inode === file.inode) return handle
    await handle.close()
    throw notFound(file.path, 'file', new Error('another file has its name now'))
  }

  // Leaves the file at the place reached. It is entered again when there is more.
  #leave(): void {
    const file = this.#active!
    const { offset, longStart, rest } = this.#splitter
    file.next = offset
    file.longStart = longStart
    this.#active = undefined
    if (!this.#atEnd) return
    this.#atEnd = false
    if (offset === this.#stretchEnd) return
    file.readTo = offset + rest.to - rest.from
    if (this.#settings.tail) return
    file.finished = true
    this.#run(() => this.#files!.release(file))
  }

  #failed(file: TrackedFile, thrown: unknown): void {
    if (!this.#settings.tail && isGone(thrown)) {
      this.#context!.report(notFound(file.path, 'file', thrown))
      this.#active = undefined
      file.finished = true
      return
    }
    const times = ++file.errors
    if (this.#stretchEnd !== ENTERING) {
      file.next = this.#splitter.offset
      file.longStart = this.#splitter.longStart
    }
    this.#active = undefined
    this.#atEnd = false
    // Told the first time, the second, the fourth, the eighth …
    if ((times & (times - 1)) === 0) {
      const error = thrown instanceof EngineError ? thrown : fileFailed(file.path, 'read', thrown)
      this.#context!.report(error)
    }
    file.waiting = true
    this.#context!.scheduleOnce(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (times - 1)), () => {
      file.waiting = false
      this.#context!.wake()
    })
    if (!this.#settings.tail) this.#run(() => this.#files!.release(file))
  }

  #look(): void {
    if (this.#looking || this.#closed) return
    this.#looking = true
    this.#run(async () => {
      try {
        await this.#files!.look()
      } finally {
        this.#looking = false
      }
    })
  }

  // Something that takes its time. `close` waits for it; the source is asked again after it.
  #run(fn: () => Promise<void>): void {
    const running = fn()
      .catch(error => this.#context!.report(asError(error)))
      .then(() => {
        this.#background.delete(running)
        if (!this.#closed) this.#context!.wake()
      })
    this.#background.add(running)
  }
}

// What is behind the size last seen may be of a file that was emptied and filled anew: the next look finds that out.
function followed(file: TrackedFile, { start, end }: Stretch): Stretch {
  return { start, end: Math.min(end, file.size), chunksMax: CHUNKS_IN_A_ROW }
}

// A file that was there when the run began and is not any more: a run that ends by itself cannot wait for it.
function isGone(thrown: unknown): boolean {
  if (thrown instanceof EngineError) return thrown.code === 'FILE_NOT_FOUND'
  return systemCode(thrown) === 'ENOENT'
}

/** Stands for the end of the stretch while a file is being opened. */
const ENTERING = -1

function foreignPosition(context: SourceSpiContext): EngineError {
  return new EngineError(
    'BAD_INPUT',
    `${context.processor}[${context.index}] was stored at a position that is not one of a file source`,
    {
      hint: 'a source that is replaced by another kind needs a name of its own, or a new application',
    },
  )
}
