// A Flux file on disk, whether it was named there or inside a jar, and the Java classes that it cannot do without.
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { EngineError } from 'gearpump/spi'
import type { FluxCall } from './flux-options.ts'
import { unpackFluxFiles } from './jar-files.ts'

export interface FluxFiles {
  readonly yaml: string
  readonly filter: string | undefined
}

/** Storm's classes that the Flux loader stands for; all other Java needs a JVM. */
const KNOWN_CLASSES = new Set([
  'flux.wrappers.spouts.FluxShellSpout',
  'flux.wrappers.bolts.FluxShellBolt',
  'flux.wrappers.bolts.LogInfoBolt',
  'testing.TestWordCounter',
  'testing.TestWordSpout',
  'testing.NGrouping',
  'grouping.PartialKeyGrouping',
  'tuple.Fields',
])
const KNOWN_VALUES = new Set(['java.util.ArrayList', 'java.util.HashMap'])

/** Files by path; with --resource they are taken out of the jar into `directory`. */
export async function fluxFiles(
  call: FluxCall,
  place: { jar: string; directory: string; cwd: string },
): Promise<FluxFiles> {
  const { yaml, filter, resource } = call
  if (!resource) {
    return { yaml: resolve(place.cwd, yaml), filter: filter && resolve(place.cwd, filter) }
  }
  await unpackFluxFiles(place.jar, place.directory)
  const inside = (path: string) => join(place.directory, path.replace(/^\/+/, ''))
  return {
    yaml: inside(yaml),
    filter: filter && (await filterOf(filter, inside(filter), place.cwd)),
  }
}

// Storm 2 has the filter in the jar, as the file; Storm 0.10 to 1.2 read it from the disk even then.
async function filterOf(filter: string, inside: string, cwd: string): Promise<string> {
  const onDisk = resolve(cwd, filter)
  return !(await isThere(inside)) && (await isThere(onDisk)) ? onDisk : inside
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/**
 * A Java class in the file, or in one that it includes, which only a JVM can make; undefined if there is none. Included
 * files are looked for in all the folders: one too many does no harm.
 */
export async function javaClassIn(
  files: FluxFiles,
  folders: readonly string[],
): Promise<string | undefined> {
  const text = await textOf(files.yaml)
  const texts = [text]
  for (const [, include] of text.matchAll(/^\s*(?:-\s*)?file\s*:\s*["']?([^"'\s#]+)/gm)) {
    for (const folder of folders) texts.push(await textOf(join(folder, include!), ''))
  }
  for (const each of texts) {
    const classes = [...each.matchAll(/\bclassName["']?\s*:\s*["']?([^"'\s,}]+)/g)]
    const java = classes.map(([, name]) => name!).find(name => isJava(name))
    if (java !== undefined) return java
    if (/^topologySource\s*:/m.test(each)) return 'of a topologySource'
  }
  return undefined
}

// `./bolts.ts#Count` is no Java; a name with ${…} in it is not known yet.
function isJava(name: string): boolean {
  const short = name.replace(/^(?:org\.apache|backtype)\.storm\./, '')
  return (
    isClassName(name) && !KNOWN_VALUES.has(name) && !(short !== name && KNOWN_CLASSES.has(short))
  )
}

/** Whether it may be the name of a Java class, with its package or without one. */
export function isClassName(text: string): boolean {
  return /^[\w$]+(?:\.[\w$]+)*$/.test(text)
}

async function textOf(path: string, otherwise?: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    // An include that is not there is told by the loader, with its line.
    if (otherwise !== undefined) return otherwise
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new EngineError(
      'FILE_NOT_FOUND',
      missing ? `there is no Flux file ${path}` : `${path} cannot be read`,
      { hint: 'with --resource the path is one inside the jar', details: { path }, cause },
    )
  }
}
