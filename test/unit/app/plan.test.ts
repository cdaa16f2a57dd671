// Placement is a pure function: every task somewhere, shares equal, nothing moves that need not.

import test from 'ava'
import fc from 'fast-check'
import { graph, processor, type Source, source, type Task } from 'gearpump'
import { makePlan, replaceExecutor } from '../../../src/app/plan.ts'
import '../seed.ts'

const idle = (): Source<number> => ({ next: () => false })
const nothing = (): Task<number, number> => ({ onNext: () => undefined })

test('every task runs in one executor, and shares differ by one at most', t => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      (sizes, n) => {
        const dag = graph(
          ...sizes.map((parallelism, i) =>
            source('source', idle).to(processor(`p${i}`, nothing, { parallelism })),
          ),
        )
        const executors = Array.from({ length: n }, (_, i) => i + 1)
        const { placement } = makePlan(dag, executors)
        const tasks = dag.processors.flatMap(spec => spec.tasks)
        t.deepEqual(
          placement.map(([task]) => task),
          tasks,
        )
        const shares = executors.map(
          id => placement.filter(([, executor]) => executor === id).length,
        )
        t.true(Math.max(...shares) - Math.min(...shares) <= 1)
      },
    ),
    { numRuns: 40 },
  )
})

test('when an executor is replaced only its tasks move', t => {
  const dag = graph(
    source('s', idle, { parallelism: 5 }).to(processor('p', nothing, { parallelism: 4 })),
  )
  const plan = makePlan(dag, [1, 2, 3])
  const next = replaceExecutor(plan, 2, 9)
  t.is(next.version, plan.version + 1)
  t.deepEqual(next.executors, [1, 9, 3])
  for (const [i, [task, executor]] of plan.placement.entries()) {
    t.deepEqual(next.placement[i], [task, executor === 2 ? 9 : executor])
  }
})
