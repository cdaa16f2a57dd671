// Unpacks the `resources/` of an uploaded jar into a private directory, which then is the working directory of the topology's
// multi-lang components. The jar comes from whoever can reach the port, so paths, counts and sizes are bounded, and nothing
// is written outside of the directory.
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { asError } from 'gearpump/spi'
import { readEntries, shown, unpack, type ZipEntry, zipInvalid } from './zip-reader.ts'

const PREFIX = 'resources/'

/** What one topology may bring: whole Python environments fit. */
export interface ResourceLimits {
  readonly files: number
  readonly bytes: number
}

export const RESOURCE_LIMITS: ResourceLimits = { files: 50_000, bytes: 1024 * 1024 * 1024 }
/** Longest path; file systems take 255 bytes for a name and 4,096 for all. */
const PATH_MAX = 1024
const DEPTH_MAX = 64

const FILE_TYPE = 0o170000
const SYMBOLIC_LINK = 0o120000
const EXECUTABLE = 0o111

/**
 * Unpacks the resources of `jar` into `directory`, which must exist and be empty. Resolves with the number of files.
 * Rejects with JAR_INVALID, which names the entry.
 */
export async function unpackResources(
  jar: string,
  directory: string,
  limits: ResourceLimits = RESOURCE_LIMITS,
): Promise<number> {
  const file = await open(jar, 'r')
  try {
    const entries = (await readEntries(file)).filter(({ name }) => name.startsWith(PREFIX))
    check(entries, limits)
    let files = 0
    for (const entry of entries) {
      const path = relativePath(entry.name)
      if (path === '') continue
      const target = join(directory, path)
      const folder = entry.name.endsWith('/')
      await makeFolder(folder ? target : dirname(target), entry)
      if (folder) continue
      // Zip files of most tools lose the permission to execute; where it was kept, it holds.
      const mode = (entry.mode & EXECUTABLE) === 0 ? 0o600 : 0o700
      await unpack(file, entry, target, mode)
      files++
    }
    return files
  } finally {
    await file.close()
  }
}

function check(entries: readonly ZipEntry[], limits: ResourceLimits): void {
  if (entries.length > limits.files) {
    throw zipInvalid(`the jar has ${entries.length} resources; ${limits.files} are taken`)
  }
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > limits.bytes) {
    throw zipInvalid(`the resources would unpack to ${bytes} bytes; ${limits.bytes} are taken`)
  }
  for (const { name, mode } of entries) {
    if ((mode & FILE_TYPE) === SYMBOLIC_LINK) {
      throw zipInvalid(`the entry ${shown(name)} is a symbolic link`)
    }
  }
}

/** The path below the directory; throws for one that leads elsewhere. */
function relativePath(name: string): string {
  const path = name.slice(PREFIX.length).replace(/\/$/, '')
  const segments = path.split('/')
  const wrong =
    path.length > PATH_MAX ||
    segments.length > DEPTH_MAX ||
    /[\\\p{Cc}]|^[A-Za-z]:/u.test(path) ||
    (path !== '' && segments.some(segment => ['', '.', '..'].includes(segment)))
  if (wrong) throw zipInvalid(`the entry ${shown(name)} has no path that can be used`)
  return path
}

async function makeFolder(path: string, entry: ZipEntry): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw zipInvalid(`the entry ${shown(entry.name)}: ${asError(error).message}`, error)
  }
}
