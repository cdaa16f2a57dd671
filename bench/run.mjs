// `npm run bench`: builds what is missing, then runs the cases on the build. See harness/main.ts.
import '../bin/typescript.mjs'
import { ensureBuilt } from '../scripts/setup.mjs'

await ensureBuilt()
const { main } = await import('./harness/main.ts')
process.exitCode = await main(process.argv.slice(2))
