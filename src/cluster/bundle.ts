// Makes the bundle in which an application travels: its directory with code, packages and resources as one zip, named by
// the SHA-256 of its bytes. The same content gives the same bytes on every host: names are sorted, times and owners
// left out, files stored as they are. A zip or jar is a bundle already. What other hosts could not have is refused, all of it
// at once: links that lead out, devices, names that are one name on some file systems, too many or too large files.
import { createReadStream, type Dirent } from 'node:fs'
import { open, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { asError, EngineError, type Problem, UserError } from '../base/errors.ts'
import { hashOfFile } from './blob-store.ts'
import { IGNORE_FILE, type Ignored, ignoreRules } from './ignore-rules.ts'
import type { Settings } from './settings-table.ts'
import { readDirectory } from './zip-directory.ts'
import {
  type BundleLimits,
  DEFAULT_LIMITS,
  NameSet,
  nameFault,
  ZIP_BYTES_MAX,
  ZIP_ENTRIES_MAX,
} from './zip-format.ts'
import { ZipWriter } from './zip-writer.ts'

export interface BundleOptions {
  /** The archive that is written for a directory; must not be there yet. */
  readonly out: string
  readonly limits?: BundleLimits
}

export interface Bundle {
  /** The archive: `out`, or the zip or jar that was given. */
  readonly file: string
  /** SHA-256 of the archive, in hex. */
  readonly hash: string
  readonly sizeBytes: number
  readonly files: number
}

/** The limits that the settings set. */
export function bundleLimits(settings: Settings): BundleLimits {
  return {
    files: settings['blobs.files'],
    fileBytes: settings['blobs.fileMb'] * MB,
    totalBytes: settings['blobs.bundleMb'] * MB,
  }
}

const MB = 1 << 20

interface BundledFile {
  readonly name: string
  /** Where it is read; for a link, what it leads to. */
  readonly path: string
  readonly executable: boolean
}

const ARCHIVES = ['.zip', '.jar']
/** Levels of directories; packages in packages have a few dozen. */
const DEPTH_MAX = 100
/** One wrong directory may hold thousands of mistakes. */
const PROBLEMS_MAX = 20
const HINT = `leave files out with a ${IGNORE_FILE} in the top directory`

/**
 * The bundle of a directory, zip or jar. Throws BUNDLE_REFUSED with all reasons, or BUNDLE_CORRUPT for an archive.
 *
 * @example const { hash, file } = await makeBundle('my-app', { out: '/tmp/my-app.zip' })
 */
export async function makeBundle(path: string, options: BundleOptions): Promise<Bundle> {
  const limits = withinFormat(options.limits ?? DEFAULT_LIMITS)
  const found = await stat(path).catch(asError)
  if (found instanceof Error)
    throw new EngineError('FILE_NOT_FOUND', `there is no ${path} to bundle`, { cause: found })
  if (found.isDirectory()) {
    return bundleOfDirectory(path, options.out, limits).catch(thrown => {
      if (thrown instanceof EngineError) throw thrown
      const cause = asError(thrown)
      throw new EngineError('BUNDLE_REFUSED', `${path} cannot be bundled: ${cause.message}`, {
        cause,
      })
    })
  }
  if (found.isFile() && ARCHIVES.includes(extname(path).toLowerCase()))
    return bundleOfArchive(path, limits)
  throw new EngineError('BUNDLE_REFUSED', `${path} is no directory, zip or jar`, {
    hint: 'bundle the directory that it is in',
  })
}

function withinFormat({ files, fileBytes, totalBytes }: BundleLimits): BundleLimits {
  return {
    files: Math.min(files, ZIP_ENTRIES_MAX),
    fileBytes: Math.min(fileBytes, ZIP_BYTES_MAX),
    totalBytes: Math.min(totalBytes, ZIP_BYTES_MAX),
  }
}

async function bundleOfArchive(path: string, limits: BundleLimits): Promise<Bundle> {
  const file = await open(path, 'r')
  try {
    const { size: sizeBytes } = await file.stat()
    // Jars may have names that differ in case only, and are unpacked in part: their names are checked then.
    let files = 0
    await readDirectory({ path, file, sizeBytes }, limits, name => {
      if (!name.endsWith('/')) files++
      return false
    })
    return { file: path, hash: await hashOfFile(path), sizeBytes, files }
  } finally {
    await file.close()
  }
}

async function bundleOfDirectory(root: string, out: string, limits: BundleLimits): Promise<Bundle> {
  const files = await filesOf(root, limits)
  const handle = await open(out, 'wx')
  let sizeBytes: number
  try {
    const zip = new ZipWriter(handle)
    for (const file of files) {
      const before = zip.sizeBytes
      await zip.add(file, createReadStream(file.path), bytes => {
        if (bytes > limits.fileBytes) throw tooLarge(file.name, bytes, limits.fileBytes)
        if (before + bytes > limits.totalBytes)
          throw tooLarge('the bundle', before + bytes, limits.totalBytes)
      })
    }
    await zip.finish()
    sizeBytes = zip.sizeBytes
    if (sizeBytes > limits.totalBytes) throw tooLarge('the bundle', sizeBytes, limits.totalBytes)
  } catch (error) {
    await rm(out, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  return { file: out, hash: await hashOfFile(out), sizeBytes, files: files.length }
}

function tooLarge(what: string, bytes: number, limit: number): EngineError {
  const message = `${what} has ${bytes} bytes or more; the limit is ${limit}`
  return new EngineError('BUNDLE_REFUSED', message, { hint: HINT })
}

async function filesOf(root: string, limits: BundleLimits): Promise<BundledFile[]> {
  const top = await realpath(root)
  const walk = new Walk(top, ignoreRules(await ignoreText(top)), limits)
  await walk.directory(top, '', [top])
  if (walk.problems.length > 0)
    throw new UserError('BUNDLE_REFUSED', `${root} cannot be shipped`, walk.problems)
  // Not by the rules of a language: they differ between hosts.
  return walk.files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function ignoreText(top: string): Promise<string> {
  const text = await readFile(join(top, IGNORE_FILE), 'utf8').catch(asError)
  if (!(text instanceof Error)) return text
  if ((text as NodeJS.ErrnoException).code === 'ENOENT') return ''
  throw text
}

/** Goes through a directory, following links that stay inside. */
class Walk {
  readonly files: BundledFile[] = []
  readonly problems: Problem[] = []
  readonly #top: string
  readonly #isIgnored: Ignored
  readonly #limits: BundleLimits
  readonly #names = new NameSet()

  constructor(top: string, isIgnored: Ignored, limits: BundleLimits) {
    this.#top = top
    this.#isIgnored = isIgnored
    this.#limits = limits
  }

  /** `above` are the true paths of the directories that are open: a link to one of them would never end. */
  async directory(path: string, prefix: string, above: readonly string[]): Promise<void> {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (this.problems.length >= PROBLEMS_MAX) return
      await this.#entry(path, `${prefix}${entry.name}`, entry, above)
    }
  }

  async #entry(
    folder: string,
    name: string,
    entry: Dirent,
    above: readonly string[],
  ): Promise<void> {
    if (this.#isIgnored(name, entry.isDirectory())) return
    const own = join(folder, entry.name)
    const path = entry.isSymbolicLink() ? await this.#target(own, name) : own
    if (path === undefined) return
    const found = await stat(path)
    const { size, mode } = found
    if (found.isDirectory()) {
      if (this.#isIgnored(name, true)) return
      if (above.includes(path) || above.length >= DEPTH_MAX)
        this.#refuse(name, `is a directory in itself, or more than ${DEPTH_MAX} levels deep`)
      else await this.directory(path, `${name}/`, [...above, path])
    } else if (!found.isFile()) this.#refuse(name, 'is neither a file nor a directory')
    else if (size > this.#limits.fileBytes)
      this.#refuse(name, `has ${size} bytes; the limit is ${this.#limits.fileBytes}`)
    else this.#take({ name, path, executable: (mode & 0o111) !== 0 })
  }

  #take(file: BundledFile): void {
    const fault = nameFault(file.name)
    const clash = fault === undefined ? this.#names.add(file.name) : undefined
    if (fault !== undefined) this.#refuse(file.name, `its name ${fault}`)
    else if (clash !== undefined)
      this.#refuse(file.name, `would be one file with "${clash}" on some hosts`)
    else if (this.files.length >= this.#limits.files)
      throw new EngineError(
        'BUNDLE_REFUSED',
        `${this.#top} has more than ${this.#limits.files} files`,
        { hint: HINT },
      )
    else this.files.push(file)
  }

  // Undefined when the link leads nowhere or out; then it is told.
  async #target(path: string, name: string): Promise<string | undefined> {
    const target = await realpath(path).catch(asError)
    if (target instanceof Error)
      this.#refuse(name, `is a link that leads nowhere: ${target.message}`)
    else if (target !== this.#top && !target.startsWith(this.#top + sep))
      this.#refuse(name, `is a link that leads out, to ${target}`)
    else return target
    return undefined
  }

  #refuse(place: string, message: string): void {
    this.problems.push({ place, message, hint: HINT })
  }
}
