// Takes Flux files out of a topology's jar, so that they are read without a JVM: the file that --resource names, what it
// includes, and its properties. The jar is the user's own, but is read as carefully as one that was uploaded.
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readEntries, shown, unpack, type ZipEntry, zipInvalid } from '../nimbus/zip-reader.ts'
import { checkFile } from './upload.ts'

/** Flux files and properties are text that people write. */
const FILES_MAX = 1000
const BYTES_MAX = 16 * 1024 * 1024
const KEPT = /\.(?:ya?ml|flux|properties)$/i

/** Unpacks every Flux and properties file below `directory`, by its path in the jar. */
export async function unpackFluxFiles(jar: string, directory: string): Promise<void> {
  await checkFile(jar)
  const file = await open(jar, 'r')
  try {
    const entries = (await readEntries(file)).filter(({ name }) => KEPT.test(name) && isPath(name))
    refuseTooMuch(entries)
    const seen = new Set<string>()
    for (const entry of entries) {
      // A jar that was put together of others may hold a file twice; the JVM takes the first.
      if (seen.has(entry.name)) continue
      seen.add(entry.name)
      const target = join(directory, entry.name)
      await mkdir(dirname(target), { recursive: true })
      await unpack(file, entry, target, 0o600)
    }
  } finally {
    await file.close()
  }
}

function refuseTooMuch(entries: readonly ZipEntry[]): void {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (entries.length <= FILES_MAX && bytes <= BYTES_MAX) return
  const first = shown(entries[0]!.name)
  throw zipInvalid(
    `the jar has ${entries.length} YAML and properties files of ${bytes} bytes, from ${first} on; ${FILES_MAX} and ${BYTES_MAX} are read`,
  )
}

function isPath(name: string): boolean {
  const segments = name.split('/')
  return (
    !/[\\\p{Cc}]|^[A-Za-z]:/u.test(name) && !segments.some(part => ['', '.', '..'].includes(part))
  )
}
