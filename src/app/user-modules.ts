// What a process needs before it can import a user's modules: a loader for TypeScript, and a name for this very package.
import { createRequire, register } from 'node:module'

// Loaders stay for the life of the process, and so does the knowledge that they are there.
let typeScriptReady = false

// Node that only strips types would refuse enums; the loader takes them, and so a file runs the same on each version.
export function prepareTypeScript(): void {
  if (typeScriptReady || process.execArgv.some(arg => arg.includes('typescript.mjs'))) return
  typeScriptReady = true
  const root = import.meta.url.endsWith('.ts') ? '../..' : '../../..'
  register(`${root}/bin/typescript-hooks.mjs`, import.meta.url)
  // A file with an enum is transformed, and its lines are others then: errors are to name those that the user wrote.
  process.setSourceMapsEnabled(true)
}

let ownNameReady = false

// A file that lies in no project of its own, run by a globally installed command, means this very package.
export function prepareOwnName(file: string): void {
  if (ownNameReady) return
  try {
    createRequire(file).resolve('gearpump')
  } catch {
    // Not found from there: this is the answer that was asked for.
    ownNameReady = true
    register(`data:text/javascript,${encodeURIComponent(ownNameHook)}`)
  }
}

const ownNameHook = `export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!/^gearpump(\\/|$)/.test(specifier)) throw error
    return next(specifier, { ...context, parentURL: ${JSON.stringify(import.meta.url)} })
  }
}`
