// `npm run bench:peers`: builds what is missing, then races our cases against Storm's. See peers/main.ts.
import '../bin/typescript.mjs'
import { ensureBuilt } from '../scripts/setup.mjs'

await ensureBuilt()
const { main } = await import('./peers/main.ts')
process.exitCode = await main(process.argv.slice(2))
