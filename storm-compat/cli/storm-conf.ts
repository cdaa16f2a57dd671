// Storm's configuration as Storm's own command finds it: the defaults, then storm.yaml (of ~/.storm if there is one, else of
// STORM_CONF_DIR, else of STORM_HOME/conf) or the file of --config, then -c key=value.
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { EngineError, type Problem } from 'gearpump/spi'
import { lineColumns } from '../flux/substitution.ts'
import { parseYaml, toValue } from '../flux/yaml-tree.ts'
import { defaults } from '../topology/settings.ts'
import { type CommandLine, list, one } from './command-line.ts'
import { StormUsageError } from './usage-error.ts'
import type { Surroundings } from './verb.ts'

export type StormConf = Readonly<Record<string, unknown>>

/** `client`: commands that talk to a cluster. `cluster`: what a daemon on this machine would read. */
export type ConfSide = 'client' | 'cluster'

type Place = Pick<Surroundings, 'env' | 'homeDir' | 'cwd'>

/** Everything that applies to this command line. */
export async function stormConf(
  line: CommandLine,
  around: Place,
  side: ConfSide = 'client',
): Promise<StormConf> {
  return withDefaults(await ownConf(line, around, side))
}

export function withDefaults(own: StormConf): StormConf {
  return { ...defaults, ...own }
}

/** What somebody has set, in a file or on this command line. */
export async function ownConf(
  line: CommandLine,
  around: Place,
  side: ConfSide = 'client',
): Promise<StormConf> {
  const file = one(line, 'config')
  const folder = side === 'client' ? await userConfDir(around) : clusterConfDir(around)
  const own =
    file === undefined || file === ''
      ? ((folder && (await readConf(join(folder, 'storm.yaml')))) ?? {})
      : await namedConf(file, folder, around)
  return { ...own, ...settingsOf(line) }
}

/** Of `-c key=value`: JSON where it is JSON, else text. What has no `=` is passed over, as in Storm. */
export function settingsOf(line: CommandLine): Record<string, unknown> {
  const pairs = list(line, 'setting')
    .map(text => /^([^=]*)=(.*)$/s.exec(text))
    .filter(match => match !== null)
  return Object.fromEntries(pairs.map(([, key, value]) => [key!, jsonOrText(value!)]))
}

/** ~/.storm if it holds a storm.yaml, else the cluster's. */
export async function userConfDir(around: Place): Promise<string | undefined> {
  const own = join(around.homeDir, '.storm')
  return (await readText(join(own, 'storm.yaml'))) === undefined ? clusterConfDir(around) : own
}

export function clusterConfDir({ env }: Place): string | undefined {
  if (env.STORM_CONF_DIR) return env.STORM_CONF_DIR
  const home = stormHome(env)
  return home === undefined ? undefined : join(home, 'conf')
}

/** A Storm release on this machine; nothing but Java programs need one. */
export function stormHome(env: Place['env']): string | undefined {
  return env.STORM_HOME || env.STORM_BASE_DIR || undefined
}

async function namedConf(file: string, folder: string | undefined, { cwd }: Place) {
  const places = isAbsolute(file)
    ? [file]
    : [...(folder === undefined ? [] : [join(folder, file)]), resolve(cwd, file)]
  for (const place of places) {
    const conf = await readConf(place)
    if (conf !== undefined) return conf
  }
  throw new EngineError('FILE_NOT_FOUND', `there is no configuration ${file}`, {
    hint: `looked for ${places.join(' and ')}`,
    details: { file },
  })
}

/**
 * A file of settings; undefined if there is none. It is YAML as Storm's parser has it: `no` and `off` are false, and of a key
 * that stands twice (scripts that set up a machine write their settings at the end) the last counts.
 */
export async function readConf(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readText(file)
  if (text === undefined) return undefined
  const problems: Problem[] = []
  const place = lineColumns(text)
  const tree = parseYaml(text, offset => `${file}:${place(offset)}`, problems)
  const [problem] = problems
  if (problem !== undefined) {
    throw new EngineError('BAD_INPUT', `${problem.place} ${problem.message}`, {
      hint: 'mend the file; it must be YAML',
    })
  }
  const conf = tree === undefined ? null : toJson(toValue(tree))
  if (conf === null) return {}
  if (typeof conf === 'object' && !Array.isArray(conf)) return conf as Record<string, unknown>
  throw new EngineError('BAD_INPUT', `${file}: a configuration must be a map of settings`, {
    hint: 'write one setting a line, as in nimbus.seeds: ["localhost"]',
  })
}

// The settings travel on as JSON, which knows no bigint.
function toJson(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item)),
  )
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new EngineError('BAD_INPUT', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** JSON where it is JSON, else the text itself. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Most values are plain words, and need no quotes.
    return text
  }
}

/** Storm's rule for names of topologies; throws a StormUsageError. */
export function checkTopologyName(name: string): string {
  if (/^[^/.:\\]+$/.test(name)) return name
  throw new StormUsageError(
    `"${name}" is no name of a topology: it must not be empty or have any of / . : \\ in it`,
  )
}
