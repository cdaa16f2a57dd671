// Merges the files that a Flux file includes into its definition, with Storm's rules: one level deep, an included
// part loses against what is there unless `override` is set, streams are always added. Included files must lie in
// or below the folder of the topology (or the folder that the caller allows), so that a file from elsewhere cannot
// make us read and quote what it was not given; where the caller says in which folder the user is, also below that one.
import { existsSync, realpathSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Problem } from 'gearpump/spi'
import type { FluxDefinition, IncludeDefinition } from './definition.ts'

/** Files that one topology may include. */
export const INCLUDES_MAX = 100

export interface IncludeFolders {
  /** The one of the file that includes. */
  readonly folder: string
  /** Included files lie below it. */
  readonly root: string
  /** The user's: Storm looks for included files from here. Undefined = only beside the file. */
  readonly working: string | undefined
}

/** Where an included file lies, or a Problem in the list. */
export function includePath(
  include: IncludeDefinition,
  folders: IncludeFolders,
  problems: Problem[],
): string | undefined {
  const { value, place } = include.file
  const { path, root } = placeOf(include, folders)
  const outside = {
    place,
    message: `the included file ${value} lies outside of the topology's folder`,
    hint: `put it into or below ${root}`,
  }
  // First as it is written, so that nothing is told about files elsewhere; then as it really is, behind links.
  if (!isBelow(path, resolve(root))) {
    problems.push(outside)
    return undefined
  }
  let real: string
  try {
    real = realpathSync(path)
  } catch {
    // All that can be wrong here is that it cannot be reached; the message says where we looked.
    problems.push({
      place,
      message: `the included file ${value} does not exist`,
      hint: `looked for ${path}; includes are relative to the file that includes them`,
    })
    return undefined
  }
  if (isBelow(real, realpathSync(root))) return real
  problems.push(outside)
  return undefined
}

// Beside the file, and where there is none, where the command was given, as in Storm.
function placeOf(
  { file: { value }, resource }: IncludeDefinition,
  { folder, root, working }: IncludeFolders,
): { path: string; root: string } {
  // A resource is named from the top of the jar, `/configs/base.yaml`: here from the folder of the topology.
  const beside = { path: resource ? join(folder, value) : resolve(folder, value), root }
  if (resource || working === undefined) return beside
  const named = { path: resolve(working, value), root: working }
  // What lies outside is not even looked for.
  if (isBelow(beside.path, resolve(root)) && existsSync(beside.path)) return beside
  return isBelow(named.path, working) && existsSync(named.path) ? named : beside
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** Puts `included` into `definition`, which is changed. Returns a notice for each part that lost. */
export function mergeInclude(
  definition: FluxDefinition,
  included: FluxDefinition,
  include: IncludeDefinition,
): string[] {
  const notices: string[] = []
  const { override } = include
  const lost = (what: string, place: string) => {
    notices.push(
      `${place}: ${what} is ignored: it exists already, and the include does not override`,
    )
  }
  if (included.name !== undefined) {
    if (override || definition.name === undefined) definition.name = included.name
    else lost('the name', included.name.place)
  }
  for (const [key, entry] of included.config) {
    if (override || !definition.config.has(key)) definition.config.set(key, entry)
    else lost(`config ${key}`, entry.keyPlace)
  }
  for (const part of ['components', 'spouts', 'bolts'] as const) {
    mergeBeans(definition[part], included[part], override, lost)
  }
  definition.streams.push(...included.streams)
  if (included.includes.length > 0) {
    const place = included.includes[0]!.file.place
    notices.push(`${place}: includes of an included file are ignored: they go one level deep`)
  }
  return notices
}

/** Of components, spouts and bolts with the same id only the last stays, where the first was, as in Storm. */
export function keepLast(definition: FluxDefinition, notices: string[]): void {
  for (const part of ['components', 'spouts', 'bolts'] as const) {
    const beans: Bean[] = definition[part]
    const last = new Map<string, Bean>()
    for (const bean of beans) {
      const earlier = last.get(bean.id.value)
      if (earlier !== undefined) {
        notices.push(`${bean.place}: takes the place of the "${bean.id.value}" at ${earlier.place}`)
      }
      last.set(bean.id.value, bean)
    }
    beans.splice(0, beans.length, ...last.values())
  }
}

interface Bean {
  readonly id: { readonly value: string }
  readonly place: string
}

function mergeBeans<T extends Bean>(
  target: T[],
  included: readonly T[],
  override: boolean,
  lost: (what: string, place: string) => void,
): void {
  for (const bean of included) {
    const at = target.findIndex(b => b.id.value === bean.id.value)
    if (at === -1) target.push(bean)
    else if (override) target[at] = bean
    else lost(`"${bean.id.value}"`, bean.place)
  }
}
