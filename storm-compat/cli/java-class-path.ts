// Where the jars of Storm's client are: in a release (STORM_HOME), or in a folder of jars (GEARPUMP_STORM_JARS, else
// ~/.cache/gearpump/storm-client). Only programs of users in Java need them.
import { readdir, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { EngineError } from 'gearpump/spi'
import { stormHome } from './storm-conf.ts'
import type { Surroundings } from './verb.ts'

type Place = Pick<Surroundings, 'env' | 'homeDir'>

/** `client`: what a worker has too. `server`: all of Storm. `daemon` adds what only daemons see. */
export interface ClassPathOptions {
  readonly jars: 'client' | 'server'
  readonly daemon: boolean
  readonly extra: readonly string[]
}

/** The class path in the order that Storm's own command gives it. */
export async function classPath(around: Place, options: ClassPathOptions): Promise<string> {
  const { env } = around
  const home = stormHome(env)
  const parts =
    home === undefined ? [wildcard(await jarFolder(around))] : await releaseParts(home, options)
  if (env.STORM_EXT_CLASSPATH) parts.push(env.STORM_EXT_CLASSPATH)
  if (options.daemon && env.STORM_EXT_CLASSPATH_DAEMON) parts.push(env.STORM_EXT_CLASSPATH_DAEMON)
  return [...parts, ...options.extra].join(delimiter)
}

async function releaseParts(home: string, { jars, daemon }: ClassPathOptions): Promise<string[]> {
  const folders = [
    home,
    join(home, await libraryOf(home, jars)),
    join(home, 'extlib'),
    ...(daemon ? [join(home, 'extlib-daemon')] : []),
  ]
  const there = await Promise.all(folders.map(isFolder))
  return folders.filter((_, i) => there[i]).map(wildcard)
}

// Releases before 2.0 have one folder for both.
async function libraryOf(home: string, jars: 'client' | 'server'): Promise<string> {
  return jars === 'client' && (await isFolder(join(home, 'lib-worker'))) ? 'lib-worker' : 'lib'
}

async function jarFolder({ env, homeDir }: Place): Promise<string> {
  const cache = env.XDG_CACHE_HOME || join(homeDir, '.cache')
  const folder = env.GEARPUMP_STORM_JARS || join(cache, 'gearpump', 'storm-client')
  if (await hasJars(folder)) return folder
  throw new EngineError('FILE_NOT_FOUND', `there are no jars of Storm's client in ${folder}`, {
    hint: 'set STORM_HOME to a Storm release, or GEARPUMP_STORM_JARS to a folder with storm-client and what it needs',
    details: { folder },
  })
}

async function hasJars(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).some(name => name.endsWith('.jar'))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw cause
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
    throw cause
  })
  return found?.isDirectory() === true
}

function wildcard(folder: string): string {
  return join(folder, '*')
}
