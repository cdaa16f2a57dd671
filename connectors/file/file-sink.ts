// The file sink: collects lines, writes and syncs them together, and only then lets their inputs go. One batch is on its way
// to the disk while the next one is collected, so the more comes in the fewer syncs it takes. When the disk refuses, the
// task keeps what it has, tells why, takes no more than its bound, and goes on when there is room again.
import {
  EngineError,
  type Hold,
  type Task,
  type TaskContext,
  type TaskSpiContext,
} from 'gearpump/spi'
import { fileFailed } from './file-errors.ts'
import type { FileParts } from './file-source.ts'
import { realFileSystem } from './file-system.ts'
import { OutputFiles } from './output-file.ts'
import { type FileSinkOptions, type FileSinkSettings, sinkSettings } from './sink-options.ts'

/** What may wait beside the batch that is written, in batches, and in lines, before the task takes no more input. */
const WAITING_BATCHES_MAX = 4
const WAITING_LINES_MAX = 50_000
/** Wait after a failure, doubled each time up to a bound. */
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 5000

type Encode = (value: never) => string | Uint8Array

interface Batch {
  lines: (string | Uint8Array)[]
  holds: Hold[]
  /** Characters or bytes: what it weighs, more or less. */
  size: number
}

/**
 * Declares a sink that writes lines to files, for `processor()`. An input is done when its line is on the disk. Throws a
 * UserError that lists all mistakes in the options.
 *
 * @example
 * processor('out', fileSink({ path: 'out/{processor}-{index}-{sequence}.log' }), { parallelism: 2 })
 */
export function fileSink<In = unknown>(
  options: FileSinkOptions<In>,
  parts: FileParts = {},
): () => Task<In, never> {
  const settings = sinkSettings(options)
  const encode = (options.encode ?? lineOf) as Encode
  return () => new FileSink(settings, encode, parts) as unknown as Task<In, never>
}

class FileSink implements Task<never, never> {
  readonly #settings: FileSinkSettings
  readonly #encode: Encode
  readonly #parts: FileParts
  #context: TaskSpiContext | undefined = undefined
  #files: OutputFiles | undefined = undefined
  #waiting: Batch = emptyBatch()
  /** What is being written; kept until it is on the disk. */
  #batch: Batch = emptyBatch()
  #writing: Promise<void> | undefined = undefined
  #flushTimer = false
  #rollTimer: { cancel(): void } | undefined = undefined
  #rollDue = false
  #stopping = false
  #retries = 0
  // Lets the writer go on before its wait is over; and the task, that waits for room.
  #hurry: () => void = () => undefined
  #room: { promise: Promise<void>; resolve: () => void } | undefined = undefined

  constructor(settings: FileSinkSettings, encode: Encode, parts: FileParts) {
    this.#settings = settings
    this.#encode = encode
    this.#parts = parts
  }

  async onStart(given: TaskContext<never>): Promise<void> {
    const context = given as unknown as TaskSpiContext
    this.#context = context
    const fill = (text: string) =>
      text
        .replaceAll('{processor}', () => context.processor)
        .replaceAll('{index}', () => String(context.index))
    const { directory, name } = this.#settings
    const { fileSystem = realFileSystem } = this.#parts
    this.#files = new OutputFiles({ fileSystem, directory: fill(directory), name: fill(name) })
    try {
      const finished = await this.#files.recover()
      if (finished.length > 0)
        context.log('info', `finished what a former run left: ${finished.join(', ')}`)
    } catch (error) {
      throw writeFailed(directory, error)
    }
  }

  onNext(value: never, context: TaskContext<never>): void | Promise<void> {
    const line = this.#encode(value)
    const waiting = this.#waiting
    waiting.lines.push(line)
    waiting.holds.push(context.hold())
    waiting.size += line.length + 1
    const { flushBytes } = this.#settings
    if (this.#writing === undefined) {
      if (waiting.size >= flushBytes) this.#start()
      else this.#startLater()
      return
    }
    if (waiting.size < flushBytes * WAITING_BATCHES_MAX && waiting.lines.length < WAITING_LINES_MAX)
      return
    this.#room ??= withResolve()
    return this.#room.promise
  }

  async onStop(): Promise<void> {
    this.#stopping = true
    this.#rollTimer?.cancel()
    this.#hurry()
    await this.#writing
    if (this.#waiting.lines.length > 0) await this.#write()
    await this.#finish()
    this.#room?.resolve()
  }

  // ---- writing

  #startLater(): void {
    if (this.#flushTimer) return
    this.#flushTimer = true
    this.#context!.after(this.#settings.flushAfterMs, () => {
      this.#flushTimer = false
      this.#start()
    })
  }

  #start(): void {
    if (this.#writing !== undefined || this.#stopping) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
    })
    this.#writing.catch(error => this.#context!.report(error as Error))
  }

  // Writes batch after batch until nothing waits. Ends early when the task stops and the disk refuses.
  async #write(): Promise<void> {
    while (this.#batch.lines.length + this.#waiting.lines.length > 0 || this.#rollDue) {
      try {
        await this.#step()
        this.#retries = 0
      } catch (error) {
        this.#told(error)
        if (this.#stopping) return
        await this.#wait()
      }
    }
  }

  async #step(): Promise<void> {
    const files = this.#files!
    if (this.#rollDue || files.bytes >= this.#settings.rollBytes) {
      await files.commit()
      this.#rollDue = false
      this.#rollTimer?.cancel()
      this.#rollTimer = undefined
    }
    if (this.#batch.lines.length === 0) this.#takeWaiting()
    else this.#dropFailed()
    const batch = this.#batch
    if (batch.lines.length === 0) return
    await files.append(bytesOf(batch.lines))
    for (const hold of batch.holds) hold.release()
    this.#batch = emptyBatch()
    if (this.#rollTimer === undefined && !this.#stopping) this.#armRoll()
    if (files.bytes >= this.#settings.rollBytes) this.#rollDue = true
  }

  #takeWaiting(): void {
    this.#batch = this.#waiting
    this.#waiting = emptyBatch()
    this.#room?.resolve()
    this.#room = undefined
  }

  // Inputs that took too long have failed meanwhile: they come again, and need not be written twice.
  #dropFailed(): void {
    const { lines, holds } = this.#batch
    const kept = emptyBatch()
    for (const [i, hold] of holds.entries()) {
      if (!hold.open) continue
      kept.lines.push(lines[i]!)
      kept.holds.push(hold)
    }
    this.#batch = kept
  }

  #armRoll(): void {
    this.#rollTimer = this.#context!.after(this.#settings.rollAfterMs, () => {
      this.#rollTimer = undefined
      this.#rollDue = true
      this.#start()
    })
  }

  async #finish(): Promise<void> {
    try {
      await this.#files?.commit()
    } catch (error) {
      this.#told(error)
      try {
        await this.#files?.leave()
      } catch (again) {
        this.#told(again)
      }
    }
  }

  // ---- troubles

  // Told the first time, the second, the fourth, the eighth …
  #told(error: unknown): void {
    const times = ++this.#retries
    if ((times & (times - 1)) === 0)
      this.#context!.report(writeFailed(this.#settings.directory, error))
  }

  #wait(): Promise<void> {
    return new Promise(resolve => {
      const delayMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (this.#retries - 1))
      const timer = this.#context!.after(delayMs, resolve)
      this.#hurry = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

function writeFailed(directory: string, error: unknown): EngineError {
  return error instanceof EngineError ? error : fileFailed(directory, 'write', error)
}

function emptyBatch(): Batch {
  return { lines: [], holds: [], size: 0 }
}

function withResolve(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

const LINE_END = Buffer.from('\n')

function bytesOf(lines: readonly (string | Uint8Array)[]): Uint8Array {
  if (lines.every(line => typeof line === 'string')) return Buffer.from(`${lines.join('\n')}\n`)
  return Buffer.concat(
    lines.flatMap(line => [typeof line === 'string' ? Buffer.from(line) : line, LINE_END]),
  )
}

function lineOf(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  const json = JSON.stringify(value)
  if (json !== undefined) return json
  throw new EngineError('BAD_INPUT', `a message that is ${typeof value} has no line`, {
    hint: 'give fileSink an encode function that makes a text of it',
  })
}
