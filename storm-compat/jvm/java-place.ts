// What a JVM host is started with, found on this machine: a Java runtime, and the jars of the line of Storm that the topology was
// made with. Looked for when a topology is submitted, so that it is refused with a clear word where Java is missing,
// and again by each executor, since hosts differ.
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Conf } from '../component/api.ts'
import { lineOfVersion, type StormLine } from './java-line.ts'

/** Where we are. */
export interface JavaAround {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDir: string
}

export interface FoundJava {
  readonly java: string
  readonly line: StormLine
  /** Parts of the class path, our own classes first. */
  readonly classPath: readonly string[]
}

/** One sentence with what was looked for, and what to do. */
export interface MissingJava {
  readonly missing: string
  readonly code: 'JAVA_NOT_FOUND' | 'STORM_JARS_NOT_FOUND'
}

/** Storm's own jar in a folder tells the folder's line. */
const STORM_JAR = /^storm-(?:core|client)-(\d+\.\d+[^/]*)\.jar$/

/** The first of `lines` for which all is there. */
export function findJava(
  lines: readonly StormLine[],
  conf: Conf,
  around: JavaAround,
): FoundJava | MissingJava {
  const java = javaProgram(conf, around)
  if (java === undefined) {
    return {
      code: 'JAVA_NOT_FOUND',
      missing:
        'there is no Java runtime here: install one (8 or later) and set JAVA_HOME or gearpump.jvm.home to it',
    }
  }
  const own = hostClasses()
  if (own === undefined) {
    return {
      code: 'JAVA_NOT_FOUND',
      missing:
        'the Java part of this package was not built: run npm run build where there is a JDK',
    }
  }
  const named = conf['gearpump.jvm.class.path']
  if (named !== undefined && named !== null) {
    const classPath = [own, ...[named].flat().map(String)]
    return { java, line: lineOfNamed(classPath) ?? lines[0]!, classPath }
  }
  const folders = candidates(around)
  for (const line of lines) {
    for (const folder of folders) {
      const jars = jarsOf(folder, line)
      if (jars !== undefined) return { java, line, classPath: [own, ...jars] }
    }
  }
  return {
    code: 'STORM_JARS_NOT_FOUND',
    missing:
      `there are no jars of Storm ${lines.join(' or ')} in ${folders.join(', ')}: set STORM_HOME to a release of that ` +
      'line, GEARPUMP_STORM_JARS to a folder of its jars, or gearpump.jvm.class.path',
  }
}

function javaProgram(conf: Conf, { env }: JavaAround): string | undefined {
  const home = conf['gearpump.jvm.home'] ?? env.JAVA_HOME
  if (typeof home === 'string' && home !== '') {
    const program = join(home, 'bin', 'java')
    return isProgram(program) ? program : undefined
  }
  return (env.PATH ?? '')
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, 'java'))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not to be run: the answer is the same.
    return false
  }
}

/** Compiled by `npm run build`; beside us in the build, and taken from there when the sources run. */
export function hostClasses(): string | undefined {
  const fromSources = import.meta.url.endsWith('.ts')
  const place = fromSources ? '../../dist/storm-compat/jvm/host' : './host'
  const folder = fileURLToPath(new URL(place, import.meta.url))
  return names(folder).includes('gearpump') ? folder : undefined
}

function lineOfNamed(classPath: readonly string[]): StormLine | undefined {
  const files = classPath.flatMap(part =>
    part.endsWith('/*') ? names(part.slice(0, -2)) : [part.replace(/^.*[/\\]/, '')],
  )
  return lineOf(files)
}

function lineOf(files: readonly string[]): StormLine | undefined {
  for (const file of files) {
    const version = STORM_JAR.exec(file)?.[1]
    if (version !== undefined) return lineOfVersion(version)
  }
  return undefined
}

function candidates({ env, homeDir }: JavaAround): string[] {
  const home = env.STORM_HOME || env.STORM_BASE_DIR
  const cache = env.XDG_CACHE_HOME || join(homeDir, '.cache')
  return [
    ...(home ? [join(home, 'lib-worker'), join(home, 'lib')] : []),
    ...(env.GEARPUMP_STORM_JARS ? [env.GEARPUMP_STORM_JARS] : []),
    join(cache, 'gearpump', 'storm-client'),
  ]
}

// A folder of jars; or one with a folder for each line.
function jarsOf(folder: string, line: StormLine): string[] | undefined {
  if (lineOf(names(folder)) === line) {
    const extra = join(folder, '..', 'extlib')
    return [join(folder, '*'), ...(names(extra).length > 0 ? [join(extra, '*')] : [])]
  }
  const below = join(folder, line)
  return lineOf(names(below)) === line ? [join(below, '*')] : undefined
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return []
    throw error
  }
}
