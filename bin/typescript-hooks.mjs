// Module hooks that let Node load `.ts` files as they are (Node 20 cannot). Types are blanked out, so that
// line and column stay true; syntax that must be compiled (enums, parameter properties) is transformed.
// Imports may be written as the compiler takes them: `./split.js` or `./split` mean `split.ts` where there is no such file. A
// `.cts` file is CommonJS; it gets a `require` that finds ES modules too.
// What came of a file is kept in the directory $GEARPUMP_TYPESCRIPT_CACHE, if that is set: for those who start several
// processes on the same files, as a run over several executors does. Whoever can write there decides what runs.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CACHE = process.env.GEARPUMP_TYPESCRIPT_CACHE
let cacheMade = false

/** The directory is gone, or the disk is full: the file runs all the same. */
const IN_VAIN = ['ENOENT', 'ENOSPC', 'EDQUOT']

const NOT_FOUND = ['ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT']
const TYPESCRIPT = /\.[mc]?ts$/

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context)
  } catch (error) {
    const { parentURL } = context
    if (!NOT_FOUND.includes(error.code) || parentURL === undefined) throw error
    if (!/^\.{0,2}\//.test(specifier) || !TYPESCRIPT.test(new URL(parentURL).pathname)) throw error
    const source = sourcesOf(specifier).find(name => existsSync(new URL(name, parentURL)))
    if (source === undefined) throw error
    return nextResolve(source, context)
  }
}

// As the compiler looks for them: the source of a built file, a file without its ending, the index of a directory.
function sourcesOf(specifier) {
  const built = /^(.*)\.([mc]?)js$/s.exec(specifier)
  if (built !== null) return [`${built[1]}.${built[2]}ts`]
  return [`${specifier}.ts`, `${specifier.replace(/\/$/, '')}/index.ts`]
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !TYPESCRIPT.test(new URL(url).pathname))
    return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const source = await readFile(filename, 'utf8')
  const code = CACHE === undefined ? await strip(source, filename) : await kept(source, filename)
  return {
    format: 'module',
    source: filename.endsWith('.cts') ? asModule(code, filename) : code,
    shortCircuit: true,
  }
}

// Given to Node as CommonJS, it could not require this very package: what a hook has read gets a `require` that fails for ES
// modules. All in one line, so that the lines of the file stay true.
function asModule(code, filename) {
  if (/^\s*(import|export)(\s+\w|\s*[*{"'])/m.test(code))
    throw new SyntaxError(`${filename} is CommonJS by its name: write require(), or call it .mts`)
  const head =
    "import { createRequire as $require } from 'node:module'; import { fileURLToPath as $path } from 'node:url'; " +
    'const $module = { exports: {} }; ' +
    '(function (exports, require, module, __filename, __dirname) {'
  const names = exportedBy(code).map(
    name => `const $${name} = $module.exports?.${name}; export { $${name} as ${name} };`,
  )
  return (
    `${head}${code}\n}).call($module.exports, $module.exports, $require(import.meta.url), $module, ` +
    "$path(import.meta.url), $path(new URL('.', import.meta.url)));" +
    ` export default $module.exports; ${names.join(' ')}`
  )
}

// The names that others may import, as they are written; one too many is only undefined.
function exportedBy(code) {
  const [, literal = ''] = /\bmodule\.exports\s*=\s*(\{.*)$/s.exec(code) ?? []
  const found = [
    ...code.matchAll(/\bexports\.([A-Za-z_$][\w$]*)\s*=(?!=)/g),
    ...literal.matchAll(/[{,]\s*(?:async\s+)?([A-Za-z_$][\w$]*)\s*(?=[,:(}])/g),
  ]
  const names = new Set(['app', 'topology', 'dag', ...found.map(([, name]) => name)])
  names.delete('default')
  return [...names]
}

async function kept(source, filename) {
  const key = createHash('sha256').update(`${hooks()}\0${filename}\0${source}`).digest('hex')
  const place = join(CACHE, key)
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const code = await strip(source, filename)
  try {
    // Once: if it is gone since, it was that of a run that is over.
    if (!cacheMade) mkdirSync(CACHE, { recursive: true })
    cacheMade = true
    const written = `${place}.${process.pid}`
    writeFileSync(written, code)
    renameSync(written, place)
  } catch (error) {
    if (!IN_VAIN.includes(error.code)) throw error
  }
  return code
}

/** What is kept is of this file, and of the transpiler that the package asks for. */
function hooks() {
  own ??= ['typescript-hooks.mjs', '../package.json']
    .map(file => readFileSync(new URL(file, import.meta.url), 'utf8'))
    .join('\0')
  return own
}
let own

// The transpiler is loaded when there is something to do for it.
async function strip(source, filename) {
  const { transformSync } = await import('@swc/wasm-typescript')
  try {
    return transformSync(source, { filename, mode: 'strip-only' }).code
  } catch (error) {
    if (error?.code !== 'UnsupportedSyntax') throw readable(error, filename)
  }
  try {
    const { code, map } = transformSync(source, { filename, mode: 'transform', sourceMap: true })
    const inline = Buffer.from(map).toString('base64')
    return `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`
  } catch (error) {
    throw readable(error, filename)
  }
}

// The transpiler throws plain objects; a user needs file, line and column.
function readable(error, filename) {
  const where =
    error?.startLine === undefined
      ? filename
      : `${filename}:${error.startLine}:${error.startColumn + 1}`
  return new SyntaxError(
    `${where}: ${error?.message ?? String(error)}${error?.snippet ? `\n${error.snippet}` : ''}`,
  )
}
