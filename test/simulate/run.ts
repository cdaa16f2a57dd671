// Runs simulated worlds: `npm run simulate -- [kind] [runs] [firstSeed]`. Kinds: `executors` (one application, its executors
// and links) and `cluster` (masters, workers and all they start); without one, both. Stops at the first seed that goes
// wrong and says how to see it again. Every 50th seed is run twice, and must go the same way.
import { runClusterWorld } from './cluster/world.ts'
import { runWorld } from './world.ts'

const KINDS = { executors: runWorld, cluster: runClusterWorld }
type Kind = keyof typeof KINDS

const RUNS: Readonly<Record<Kind, number>> = { executors: 1000, cluster: 10_000 }
const REPEATED_EACH = 50
const SAY_EACH_MS = 10_000

const args = process.argv.slice(2).filter(arg => !arg.startsWith('--'))
const keepGoing = process.argv.includes('--all')
const named = args.find((arg): arg is Kind => arg in KINDS)
const [runs, first = 1] = args.filter(arg => !(arg in KINDS)).map(Number)

// What nobody waited for is a mistake of the roles, whatever world it was in.
let floating: unknown
process.on('unhandledRejection', error => {
  floating ??= error
})

async function runOne(kind: Kind, seed: number): Promise<Readonly<Record<string, number>>> {
  const run = KINDS[kind]
  const { hash, stats } = await run(seed)
  if (seed % REPEATED_EACH === 0 && (await run(seed)).hash !== hash)
    throw new Error(`${kind} seed ${seed}: went two ways`)
  // Timers and signals of this process have their turn.
  await new Promise(resolve => setImmediate(resolve))
  if (floating !== undefined)
    throw new Error(`${kind} seed ${seed}: a promise nobody waits for: ${String(floating)}`)
  return stats
}

async function runKind(kind: Kind, count: number): Promise<number> {
  const total: Record<string, number> = {}
  const startMs = Date.now()
  let saidMs = startMs
  let bad = 0
  for (let seed = first; seed < first + count; seed++) {
    try {
      for (const [name, n] of Object.entries(await runOne(kind, seed)))
        total[name] = name.endsWith('Max') ? Math.max(total[name] ?? 0, n) : (total[name] ?? 0) + n
    } catch (error) {
      bad++
      floating = undefined
      console.error(error instanceof Error ? error.message : error)
      if (!keepGoing) break
    }
    if (Date.now() - saidMs > SAY_EACH_MS) {
      saidMs = Date.now()
      console.error(`${kind}: ${seed - first + 1} of ${count} worlds`)
    }
  }
  const seconds = (Date.now() - startMs) / 1000
  console.log(JSON.stringify({ kind, runs: count, first, bad, seconds, ...total }))
  return bad
}

let bad = 0
for (const kind of named === undefined ? (Object.keys(KINDS) as Kind[]) : [named])
  bad += await runKind(kind, runs ?? RUNS[kind])
process.exitCode = bad === 0 ? 0 : 1
