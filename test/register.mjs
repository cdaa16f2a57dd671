// Tests run straight on the `.ts` sources, through the same loader that serves users' files. Hundreds of processes read the same
// ones: what came of them is kept.
import { fileURLToPath } from 'node:url'

process.env.GEARPUMP_TYPESCRIPT_CACHE ??= fileURLToPath(
  new URL('../node_modules/.cache/gearpump-typescript', import.meta.url),
)
await import('../bin/typescript.mjs')
