// Module hooks that let Node load `.ts` files as they are (Node 20 cannot). Types are blanked out, so that
// line and column stay true; syntax that must be compiled (enums, parameter properties) is transformed.
// What came of a file is kept in the directory $GEARPUMP_TYPESCRIPT_CACHE, if that is set: for those who start hundreds of
// processes on the same files, as tests do. Whoever can write there decides what runs.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CACHE = process.env.GEARPUMP_TYPESCRIPT_CACHE

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.[mc]?ts$/.test(new URL(url).pathname))
    return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const source = await readFile(filename, 'utf8')
  return {
    format: filename.endsWith('.cts') ? 'commonjs' : 'module',
    source: CACHE === undefined ? await strip(source, filename) : await kept(source, filename),
    shortCircuit: true,
  }
}

async function kept(source, filename) {
  const key = createHash('sha256').update(`${hooks()}\0${filename}\0${source}`).digest('hex')
  const place = join(CACHE, key.slice(0, 2), key)
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const code = await strip(source, filename)
  mkdirSync(join(CACHE, key.slice(0, 2)), { recursive: true })
  const written = `${place}.${process.pid}`
  writeFileSync(written, code)
  renameSync(written, place)
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
