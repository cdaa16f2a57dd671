// Runs simulated worlds: `npm run simulate -- [runs] [firstSeed]`. Stops at the first seed that goes wrong and says how to
// see it again. Every 50th seed is run twice, and must go the same way.
import type { Stats } from './oracle.ts'
import { runWorld } from './world.ts'

const runs = Number(process.argv[2] ?? 1000)
const first = Number(process.argv[3] ?? 1)
const keepGoing = process.argv.includes('--all')
const REPEATED_EACH = 50
const SAY_EACH_MS = 10_000

const total: Stats = {}
let bad = 0
let saidMs = Date.now()
const startMs = Date.now()
for (let seed = first; seed < first + runs; seed++) {
  try {
    const { hash, stats } = await runWorld(seed)
    if (seed % REPEATED_EACH === 0 && (await runWorld(seed)).hash !== hash)
      throw new Error(`seed ${seed}: went two ways`)
    for (const [name, n] of Object.entries(stats)) {
      total[name] = name.endsWith('Max') ? Math.max(total[name] ?? 0, n) : (total[name] ?? 0) + n
    }
  } catch (error) {
    bad++
    console.error(error instanceof Error ? error.message : error)
    if (!keepGoing) break
  }
  if (Date.now() - saidMs > SAY_EACH_MS) {
    saidMs = Date.now()
    console.error(`${seed - first + 1} of ${runs} worlds`)
  }
  // Timers and signals of this process have their turn.
  await new Promise(resolve => setImmediate(resolve))
}
console.log(JSON.stringify({ runs, first, bad, seconds: (Date.now() - startMs) / 1000, ...total }))
process.exitCode = bad === 0 ? 0 : 1
