// A worker's bundles as directories, each fetched and unpacked once. A directory lives as long as its blob: when room is
// made the two go together, and what a process that died has left in the middle of either is swept away at the start.
import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asError } from '../base/errors.ts'
import type { BlobShelf } from '../cluster/blob-shelf.ts'
import { unpackBundle } from '../cluster/bundle-unpack.ts'
import type { BundleRef } from '../cluster/messages.ts'
import type { BundleLimits } from '../cluster/zip-format.ts'
import type { Address } from '../transport/link.ts'

export interface BundlesOptions {
  readonly directory: string
  readonly shelf: Pick<BlobShelf, 'fetch' | 'pathOf' | 'has'>
  readonly masters: readonly Address[]
  readonly limits: BundleLimits
}

export class Bundles {
  readonly #options: BundlesOptions
  readonly #underWay = new Map<string, Promise<string>>()
  /** Directories that are being removed: who wants one again waits for that. */
  readonly #going = new Map<string, Promise<void>>()

  constructor(options: BundlesOptions) {
    this.#options = options
  }

  /** Removes what has no blob, and what was being unpacked or removed. Call it before anything else. */
  async sweep(): Promise<void> {
    const { directory, shelf } = this.#options
    await mkdir(directory, { recursive: true, mode: 0o700 })
    for (const name of await readdir(directory))
      if (!shelf.has(name)) await rm(join(directory, name), { recursive: true, force: true })
  }

  /** Where the bundle is unpacked. The caller counts as its user from before the call: see `BlobUse`. */
  directoryOf(bundle: BundleRef): Promise<string> {
    let work = this.#underWay.get(bundle.hash)
    if (work === undefined) {
      work = this.#bring(bundle)
      this.#underWay.set(bundle.hash, work)
      const forget = (): void => void this.#underWay.delete(bundle.hash)
      work.then(forget, forget)
    }
    return work
  }

  async #bring(bundle: BundleRef): Promise<string> {
    const { shelf, masters, limits } = this.#options
    await this.#going.get(bundle.hash)
    const directory = this.#nameOf(bundle.hash)
    const missing = await access(directory).then(() => undefined, asError)
    if (missing === undefined) return directory
    await shelf.fetch(bundle, masters)
    await unpackBundle(shelf.pathOf(bundle.hash), directory, { hash: bundle.hash, limits })
    return directory
  }

  /** The blob has been given up: its directory goes too. */
  remove(hash: string): Promise<void> {
    const gone = rm(this.#nameOf(hash), { recursive: true, force: true }).finally(() => {
      this.#going.delete(hash)
    })
    this.#going.set(hash, gone)
    return gone
  }

  #nameOf(hash: string): string {
    return join(this.#options.directory, hash)
  }
}
