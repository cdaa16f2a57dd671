// Makes a clone ready to run: installs the npm packages and builds `dist`. Run by hand or used by the demo, and the
// tests and benchmarks that need the built engine. Quick when there is nothing to do; one process at a time, by a lock
// file, since several tests may ask at once. Imports nothing but Node, for it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const dist = join(root, 'dist')
const cache = join(root, '.cache')
/** What `dist` was built from. Inside it, so that both go together. */
const stamp = join(dist, '.built-from')
const lock = join(cache, 'setup.lock')

/** Folders that are compiled, and files that decide how. */
const SOURCES = ['src', 'storm-compat', 'connectors']
const SETTINGS = ['package.json', 'tsconfig.json', 'tsconfig.build.json']

/** Of what a failed command says; npm goes on with pages of usage. */
const SHOWN_LINES_MAX = 30

const LOCK_LOOK_MS = 100
/** Longer than any installation or build; a holder that died is noticed at once. */
const LOCK_WAIT_MAX_MS = 10 * 60_000

/** Installs the npm packages if they are missing or not those of package-lock.json. Resolves to true if it did. */
export async function ensureInstalled({ say = console.error } = {}) {
  if (isInstalled()) return false
  return await locked(() => {
    if (isInstalled()) return false
    const startedMs = Date.now()
    say('installing npm packages …')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    say(`installed in ${seconds(startedMs)}`)
    return true
  })
}

/** The Java part, for topologies with Java components: sources, what goes beside its classes, and where they go. */
const JAVA_SOURCES = 'storm-compat/jvm/host/src'
const JAVA_RESOURCES = 'storm-compat/jvm/host/resources'
const JAVA_CLASSES = 'dist/storm-compat/jvm/host'

/** Builds `dist` if it is missing or was built from other sources. Resolves to true if it did. */
export async function ensureBuilt({ say = console.error } = {}) {
  if (isBuilt()) return false
  return await locked(() => {
    if (isBuilt()) return false
    const startedMs = Date.now()
    const builtFrom = fingerprint()
    say('building dist …')
    rmSync(stamp, { force: true })
    run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.build.json',
    ])
    removeOrphans()
    buildJava(say)
    writeFileSync(stamp, builtFrom)
    say(`built in ${seconds(startedMs)}`)
    return true
  })
}

// Only who has a JDK can; everything but Java components works without.
function buildJava(say) {
  const javac = javaCompiler()
  if (javac === undefined) {
    say('no JDK here: the Java part is left out, Java components will be refused (set JAVA_HOME)')
    return
  }
  const classes = join(root, JAVA_CLASSES)
  rmSync(classes, { recursive: true, force: true })
  mkdirSync(classes, { recursive: true })
  const sources = filesIn(JAVA_SOURCES, '.java').map(file => join(root, file))
  run(javac, ['--release', '8', '-Xlint:-options', '-g', '-d', classes, ...sources])
  cpSync(join(root, JAVA_RESOURCES), classes, { recursive: true })
}

function javaCompiler() {
  const { JAVA_HOME, PATH = '' } = process.env
  const folders = JAVA_HOME ? [join(JAVA_HOME, 'bin')] : PATH.split(delimiter)
  return folders.map(folder => join(folder, 'javac')).find(existsSync)
}

// npm keeps a list of what it installed. Packages that are for other platforms only are missing there, rightly.
function isInstalled() {
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'))
  const wanted = packagesOf(join(root, 'package-lock.json'))
  if (installed === undefined || wanted === undefined) return installed !== undefined
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const found = installed[path]
    return found === undefined ? optional === true : found.version === version
  })
}

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined
}

function isBuilt() {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint()) return false
  return existsSync(join(root, JAVA_CLASSES)) || javaCompiler() === undefined
}

// Names, sizes and times of the sources: a file that was removed or renamed counts too, and a look costs milliseconds.
function fingerprint() {
  const hash = createHash('sha256')
  for (const file of [...SETTINGS, ...SOURCES.flatMap(sourcesIn)]) {
    const path = join(root, file)
    if (!existsSync(path)) continue
    const { size, mtimeMs } = statSync(path)
    hash.update(`${file} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function sourcesIn(folder) {
  return [...filesIn(folder, '.ts'), ...filesIn(folder, '.java')]
}

function filesIn(folder, ending) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith(ending))
    .map(entry => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

// What was compiled from files that are gone would still be found by imports.
function removeOrphans() {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    const source = join(root, relative(dist, path).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts'))
    if (entry.isFile() && source.endsWith('.ts') && !existsSync(source)) rmSync(path)
  }
}

function run(command, args) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status === 0) return
  const shown = `${stdout ?? ''}${stderr ?? ''}`
    .trim()
    .split('\n')
    .slice(0, SHOWN_LINES_MAX)
    .join('\n')
  const how = error?.message ?? (signal === null ? `exit code ${status}` : signal)
  const words = [command, ...args].map(word => (isAbsolute(word) ? basename(word) : word))
  throw new Error(`${words.join(' ')} failed: ${how}\n${shown}`)
}

function seconds(startedMs) {
  return `${((Date.now() - startedMs) / 1000).toFixed(1)} s`
}

async function locked(work) {
  mkdirSync(cache, { recursive: true })
  const deadlineMs = Date.now() + LOCK_WAIT_MAX_MS
  while (!takeLock()) {
    if (Date.now() > deadlineMs) throw new Error(`${lock} is held for too long; remove it`)
    await new Promise(resolve => setTimeout(resolve, LOCK_LOOK_MS))
  }
  try {
    return work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function takeLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    dropDeadLock()
    return false
  }
}

// Moved away rather than removed: of several that find it dead, one succeeds.
function dropDeadLock() {
  const holder = lockHolder(lock)
  if (holder === undefined || isAlive(holder)) return
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return
  }
  const moved = lockHolder(aside)
  if (moved !== undefined && isAlive(moved)) renameSync(aside, lock)
  else rmSync(aside, { force: true })
}

// Undefined: it is gone already, or being written this moment.
function lockHolder(file) {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || undefined
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await ensureInstalled()
    await ensureBuilt()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
