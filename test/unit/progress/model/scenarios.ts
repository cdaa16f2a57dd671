// Scenarios as fast-check makes them, so that a failing world shrinks to a small one and is named by a seed.
import fc from 'fast-check'
import type { Scenario } from './world.ts'
import '../../seed.ts'

const MODEL: { [K in keyof Scenario]: fc.Arbitrary<Scenario[K]> } = {
  seed: fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  executors: fc.integer({ min: 1, max: 4 }),
  sources: fc.integer({ min: 1, max: 3 }),
  bolts: fc.integer({ min: 1, max: 5 }),
  cyclic: fc.boolean(),
  crashes: fc.boolean(),
  losses: fc.boolean(),
  changes: fc.boolean(),
  narrow: fc.integer({ min: 0, max: 9 }).map(n => n === 9),
  roots: fc.oneof(
    { weight: 19, arbitrary: fc.integer({ min: 2, max: 16 }) },
    fc.integer({ min: 2, max: 200 }),
  ),
  steps: fc.oneof({ weight: 19, arbitrary: fc.integer({ min: 40, max: 180 }) }, fc.constant(1500)),
  failing: fc.constantFrom(0, 0.08),
  holding: fc.constantFrom(0, 0.3, 0.7),
  neverAcking: fc.constantFrom(0, 0, 0.1),
  renewing: fc.constantFrom(0, 0.2),
  hopsMax: fc.integer({ min: 2, max: 6 }),
  pendingMax: fc.constantFrom(1, 3, 100),
}

/** Random scenarios; `stress` fixes what a property is most in need of. */
export function scenarios(stress: Partial<Scenario> = {}): fc.Arbitrary<Scenario> {
  return fc.record(MODEL).map(scenario => ({ ...scenario, ...stress }))
}
