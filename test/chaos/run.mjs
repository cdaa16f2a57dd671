// `npm run chaos -- [--seed N] [--minutes M]`: kills, stops and cuts off the processes of a real cluster by a schedule made
// from the seed. Runs on the build.
import '../../bin/typescript.mjs'

const { ensureBuilt } = await import('../../scripts/setup.mjs')
await ensureBuilt()
const { main } = await import('./main.ts')
process.exit(await main(process.argv.slice(2)))
