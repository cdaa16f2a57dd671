// `npm run soak -- [CASE…]`: runs the load cases at full size, each in a fresh process, and prints one line per case. With
// `--record` the lines go into docs/soak.md too; `--list` names the cases; `--seconds N` shortens what is timed. Runs on
// the build; with `node --conditions=source test/soak/run.mjs` on the sources.
import '../../bin/typescript.mjs'

if (!process.execArgv.some(arg => arg.includes('source'))) {
  const { ensureBuilt } = await import('../../scripts/setup.mjs')
  await ensureBuilt()
}
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
