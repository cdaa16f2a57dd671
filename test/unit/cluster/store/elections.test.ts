// Property: whatever the network does to three masters, at most one leads at a time, what an old leader sent changes
// nothing, every acknowledged commit is there once, and none is there twice.
import test from 'ava'
import fc from 'fast-check'
import type { EngineError } from '../../../../src/base/errors.ts'
import type { MemoryFaults } from '../../../../src/cluster/store/memory-store.ts'
import { type Master, master, memoryCluster } from './_masters.ts'
import '../../seed.ts'

const NAMES = ['m1', 'm2', 'm3']

type Step =
  | { at: string; cut: MemoryFaults['cut'] }
  | { at: string; requestMs: number; answerMs: number }
  | { at: string; answersLost: number }
  | { commit: string }
  | { waitMs: number }

const at = fc.constantFrom(...NAMES)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    at,
    cut: fc.constantFrom<MemoryFaults['cut']>('none', 'requests', 'answers', 'both'),
  }),
  fc.record({ at, requestMs: fc.nat(2000), answerMs: fc.nat(1200) }),
  fc.record({ at, requestMs: fc.constant(0), answerMs: fc.constant(0) }),
  fc.record({ at, answersLost: fc.nat(3) }),
  { weight: 4, arbitrary: fc.record({ commit: at }) },
  { weight: 4, arbitrary: fc.record({ waitMs: fc.nat(2500) }) },
)

interface Attempt {
  readonly value: string
  readonly fence: number
  outcome: 'open' | 'acknowledged' | 'none' | 'unknown'
}

function attempt(it: Master, value: string): Attempt | undefined {
  const fence = it.candidacy.fence
  if (fence === undefined) return undefined
  const made: Attempt = { value, fence: fence.revision, outcome: 'open' }
  it.store.commit(fence, [{ put: 'key', value }]).then(
    () => {
      made.outcome = 'acknowledged'
    },
    (error: EngineError) => {
      made.outcome = error.details.outcome === 'none' ? 'none' : 'unknown'
    },
  )
  return made
}

test('at most one leads, and what is written is what leaders were told', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const { environment, cluster } = memoryCluster(seed)
      const masters = NAMES.map(name => master(cluster, environment, name))
      const attempts: Attempt[] = []
      await environment.advance(100)
      for (const [i, step] of steps.entries()) {
        if ('waitMs' in step) await environment.advance(step.waitMs)
        else if ('commit' in step) {
          const made = attempt(masters.find(it => it.name === step.commit)!, `v${i}`)
          if (made !== undefined) attempts.push(made)
        } else {
          const { at, ...faults } = step
          Object.assign(cluster.faults(at), faults)
        }
      }
      for (const name of NAMES) {
        const healthy: MemoryFaults = { cut: 'none', requestMs: 0, answerMs: 0, answersLost: 0 }
        Object.assign(cluster.faults(name), healthy)
      }
      await environment.until(() => masters.some(it => it.candidacy.fence !== undefined))
      await environment.advance(10_000)

      const reigns = masters.flatMap(it => it.reigns).sort((a, b) => a.fromMs - b.fromMs)
      for (const [i, reign] of reigns.entries()) {
        const next = reigns[i + 1]
        if (next === undefined) continue
        if (reign.toMs > next.fromMs) throw new Error(`two led at ${next.fromMs}`)
        if (reign.fence.revision >= next.fence.revision) throw new Error('fences grow')
      }
      const written = cluster.history.map(write => write.value)
      if (new Set(written).size !== written.length) throw new Error(`twice: ${written}`)
      const fences = cluster.history.map(write => write.fence!)
      if (fences.some((fence, j) => fence < (fences[j - 1] ?? 0))) {
        throw new Error(`an old leader wrote: ${fences}`)
      }
      for (const made of attempts) {
        const there = written.includes(made.value)
        if (made.outcome === 'open') throw new Error(`${made.value} was never answered`)
        if (made.outcome === 'acknowledged' && !there) throw new Error(`${made.value} is lost`)
        if (made.outcome === 'none' && there)
          throw new Error(`${made.value} was refused, yet is there`)
      }
      await Promise.all(masters.map(it => environment.awaiting(it.store.close())))
    }),
    { numRuns: 60 },
  )
  t.pass()
})
