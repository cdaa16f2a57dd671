// The five invariants as properties over random clusters (model/world.ts). Every world checks all five; each test
// leans on what its own invariant fears most. GEARPUMP_PROGRESS_RUNS sets the number of worlds over all five tests,
// GEARPUMP_PROGRESS_SEED another seed. For 100,000 worlds give ava a longer time-out:
//   GEARPUMP_PROGRESS_RUNS=100000 npx ava --timeout=1h test/unit/progress/worlds.test.ts
import test from 'ava'
import fc from 'fast-check'
import { MUTATIONS } from './model/mutations.ts'
import { scenarios } from './model/scenarios.ts'
import { runWorld, type Scenario } from './model/world.ts'
import '../seed.ts'

const RUNS = Number(process.env.GEARPUMP_PROGRESS_RUNS ?? 500)
const SEED = Number(process.env.GEARPUMP_PROGRESS_SEED ?? 20_110_919)
// The rarest mutation is seen in one of 170 worlds.
const MUTANT_WORLDS = 1000

function holdsInWorlds(stress: Partial<Scenario>, offset: number): void {
  const property = fc.property(scenarios(stress), scenario => {
    runWorld(scenario)
  })
  fc.assert(property, { numRuns: Math.ceil(RUNS / 5), seed: SEED + offset })
}

test('a root completes only after all its descendants were acked', t => {
  t.notThrows(() => holdsInWorlds({ holding: 0.7, hopsMax: 6 }, 1))
})

test('each root ends exactly once, and fails only for a cause', t => {
  t.notThrows(() => holdsInWorlds({ crashes: true, losses: true }, 2))
})

test('clocks never go back, nor past an open root', t => {
  t.notThrows(() => holdsInWorlds({ crashes: true, sources: 3 }, 3))
})

test('stuck tuples delay no others, and what is lost fails without waiting for the timeout', t => {
  t.notThrows(() => holdsInWorlds({ neverAcking: 0.1, holding: 0.3, losses: true }, 4))
})

test('when all is quiet, ledgers and links are empty', t => {
  t.notThrows(() => holdsInWorlds({}, 5))
})

for (const mutation of MUTATIONS) {
  test(`the worlds notice a broken rule: ${mutation}`, t => {
    const worlds = fc.sample(scenarios(), { numRuns: MUTANT_WORLDS, seed: 1 })
    t.true(worlds.some(scenario => breaks(scenario, mutation)))
  })
}

function breaks(scenario: Scenario, mutation: (typeof MUTATIONS)[number]): boolean {
  try {
    runWorld(scenario, mutation)
    return false
  } catch (error) {
    return error instanceof Error
  }
}
