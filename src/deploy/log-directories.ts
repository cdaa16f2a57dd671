// Log directories of a worker, `APP-NAME` each. Those of applications that run here stay, and of the others the newest:
// somebody may still want to know why they ended.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asError } from '../base/errors.ts'

/** Of applications that do not run here any more. */
export const LOG_DIRECTORIES_KEPT = 100

export interface LogDirectoriesOptions {
  readonly directory: string
  /** Told what could not be removed, and why; the next end tries again. */
  readonly onFailure: (reason: string) => void
  readonly kept?: number
}

export class LogDirectories {
  readonly #options: LogDirectoriesOptions
  /** Processes that run here, by application. */
  readonly #running = new Map<number, number>()
  #pruning: Promise<void> = Promise.resolve()

  constructor(options: LogDirectoriesOptions) {
    this.#options = options
  }

  /** A process of `app` begins: gives the path of its directory, which stays until `ended` was called as often. */
  begun(app: number, name: string): string {
    this.#running.set(app, (this.#running.get(app) ?? 0) + 1)
    return join(this.#options.directory, `${app}-${name}`)
  }

  /** Resolves when there are no more directories than there should be. */
  ended(app: number): Promise<void> {
    const left = (this.#running.get(app) ?? 1) - 1
    if (left > 0) this.#running.set(app, left)
    else this.#running.delete(app)
    if (left > 0) return Promise.resolve()
    this.#pruning = this.#pruning
      .then(() => this.#prune())
      .catch(error => this.#options.onFailure(asError(error).message))
    return this.#pruning
  }

  async #prune(): Promise<void> {
    const { directory, kept = LOG_DIRECTORIES_KEPT } = this.#options
    const ended = (await readdir(directory))
      .map(name => ({ name, app: Number.parseInt(name, 10) }))
      .filter(({ app }) => !Number.isNaN(app) && !this.#running.has(app))
      .sort((a, b) => b.app - a.app)
    for (const { name, app } of ended.slice(kept)) {
      // It may have begun again since.
      if (!this.#running.has(app)) await rm(join(directory, name), { recursive: true, force: true })
    }
  }
}
