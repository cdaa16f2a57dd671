// The places of one run: a private directory that goes with it, and a directory for the components' log files, which
// stays. And the promise that no process outlives the run: each that it starts, and each that those start, inherits
// the private directory's name in its environment; whoever still has it at the end is ended.
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { exitCaller } from '../app/exit-caller.ts'
import { asError, EngineError } from '../base/errors.ts'
import { endMarked } from '../deploy/marked-processes.ts'
import { EXIT_FAILED } from './ending.ts'

/** Marks all processes of a run. */
const MARK = 'GEARPUMP_RUN_DIR'
/** Where executors find what this process made of the user's TypeScript: they need no transpiler, which takes 25 to 40 MB. */
const TYPESCRIPT_CACHE = 'GEARPUMP_TYPESCRIPT_CACHE'

export class RunPlace {
  readonly runDir: string
  readonly logDir: string | undefined
  /** The log directory goes if nothing was written into it. */
  readonly ownLogDir: boolean
  readonly #onExit = (code: number): void => {
    process.stderr.write(exitCaller(code) ?? 'this process ended in the middle of the run\n')
    process.exitCode = EXIT_FAILED
    this.close()
  }
  readonly #ownCache = process.env[TYPESCRIPT_CACHE] === undefined
  #closed = false

  /** `logDir`: a directory; undefined = a new one under the system's; false = none. */
  constructor(logDir: string | undefined | false) {
    this.runDir = made('the private directory of the run', () =>
      mkdtempSync(join(tmpdir(), 'gearpump-run-')),
    )
    mkdirSync(join(this.runDir, 'pids'))
    this.ownLogDir = logDir === undefined
    try {
      this.logDir = made('the directory for log files', () => makeLogDir(logDir))
    } catch (error) {
      rmSync(this.runDir, { recursive: true, force: true })
      throw error
    }
    process.env[MARK] = this.runDir
    if (this.#ownCache) process.env[TYPESCRIPT_CACHE] = join(this.runDir, 'typescript')
    // The last resort, where a component calls process.exit() or the run itself has failed to end in order.
    process.once('exit', this.#onExit)
  }

  /** Ends what is left of the run. Synchronous, for it may be the last thing that this process does. Idempotent. */
  close(): number[] {
    if (this.#closed) return []
    this.#closed = true
    process.off('exit', this.#onExit)
    delete process.env[MARK]
    if (this.#ownCache) delete process.env[TYPESCRIPT_CACHE]
    const ended = endMarked(`${MARK}=${this.runDir}`)
    rmSync(this.runDir, { recursive: true, force: true })
    if (this.ownLogDir && this.logDir !== undefined) removeIfEmpty(this.logDir)
    return ended
  }
}

// Where nothing can be written, nothing has been started yet.
function made<T>(what: string, make: () => T): T {
  try {
    return make()
  } catch (thrown) {
    const cause = asError(thrown)
    throw new EngineError('BAD_INPUT', `${what} cannot be made: ${cause.message}`, {
      hint: `set TMPDIR (it is ${tmpdir()} now) or --log-dir to a directory that can be written to`,
    })
  }
}

function makeLogDir(logDir: string | undefined | false): string | undefined {
  if (logDir === false) return undefined
  if (logDir === undefined) return mkdtempSync(join(tmpdir(), 'gearpump-logs-'))
  mkdirSync(logDir, { recursive: true })
  return resolve(logDir)
}

function removeIfEmpty(directory: string): void {
  if (readdirSync(directory).length === 0) rmdirSync(directory)
}
