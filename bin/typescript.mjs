// `node --import gearpump/bin/typescript.mjs`: register the hooks that load `.ts` files.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
// For files that had to be transformed: their lines in stack traces are those of the source.
process.setSourceMapsEnabled(true)
