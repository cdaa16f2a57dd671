// Module hooks that let Node load `.ts` files as they are (Node 20 cannot). Types are blanked out, so that
// line and column stay true; syntax that must be compiled (enums, parameter properties) is transformed.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/wasm-typescript'

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.[mc]?ts$/.test(new URL(url).pathname))
    return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const source = await readFile(filename, 'utf8')
  return {
    format: filename.endsWith('.cts') ? 'commonjs' : 'module',
    source: strip(source, filename),
    shortCircuit: true,
  }
}

function strip(source, filename) {
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
