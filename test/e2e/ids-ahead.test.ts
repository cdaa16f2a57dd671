// Task ids that a child on Storm's own storm.py is sent before its emits: it reads for each of them exactly the ids of the
// tasks where the tuple went, whatever the grouping, over many refills and after its own death.
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { type FluxRun, runFlux } from './flux-run.ts'

const INPUTS = 400
const DEATH_AT = 150
const GIVEN = Array.from({ length: INPUTS }, (_, i) => [i === DEATH_AT ? -1 : i])

interface Told {
  readonly tasks: number[]
  readonly before: readonly number[] | null
  readonly ahead: number
}

/** What was seen of each child, by number of the emit. */
function byChild(run: FluxRun): Map<number, Map<number, Told>> {
  const children = new Map<number, Map<number, Told>>()
  for (const { task, values } of run.seen('seen')) {
    const [child, number, before, ahead] = values as [number, number, number[] | null, number]
    const told = children.get(child) ?? new Map<number, Told>()
    const one = told.get(number) ?? { tasks: [], before, ahead }
    one.tasks.push(task)
    children.set(child, told.set(number, one))
  }
  return children
}

const sorted = (ids: readonly number[]) => [...ids].sort((a, b) => a - b)

for (const { grouping, tasks, executors, config = {}, ahead } of [
  { grouping: 'SHUFFLE', tasks: 3, executors: 1, ahead: true },
  { grouping: 'SHUFFLE', tasks: 3, executors: 2, ahead: true },
  { grouping: 'LOCAL_OR_SHUFFLE', tasks: 3, executors: 2, ahead: true },
  { grouping: 'ALL', tasks: 3, executors: 2, ahead: true },
  { grouping: 'GLOBAL', tasks: 3, executors: 1, ahead: true },
  { grouping: 'FIELDS', tasks: 1, executors: 1, ahead: true },
  { grouping: 'FIELDS', tasks: 3, executors: 1, ahead: false },
  {
    grouping: 'SHUFFLE',
    tasks: 3,
    executors: 1,
    config: { 'wire.task.ids.ahead': false },
    ahead: false,
  },
]) {
  const how = ahead
    ? 'before its emits'
    : `after each emit${'wire.task.ids.ahead' in config ? ' (set so)' : ''}`
  realTest(
    test,
    ['multilang'],
    `a Python bolt is told ${how} where they go: ${grouping} over ${tasks}, ${executors} executors`,
    async (t, parts) => {
      const run = await runFlux(t, 'ahead', {
        parts,
        given: GIVEN,
        properties: { grouping, tasks: String(tasks) },
        // Few at a time: inputs then lie behind lists in the pipe, and a child that looks for one queues the others.
        config: { 'topology.max.spout.pending': 20, ...config },
        args: ['--until-drained', '--executors', String(executors)],
      })
      const { acked, pending, lost } = run.figures
      t.deepEqual({ acked, pending, lost }, { acked: INPUTS, pending: 0, lost: 0 })
      const children = byChild(run)
      t.is(children.size, 2, 'one child died, one took over')
      let most = 0
      for (const told of children.values()) {
        t.deepEqual(
          sorted([...told.keys()]),
          Array.from({ length: told.size }, (_, i) => i + 1),
        )
        for (const [number, one] of told) {
          most = Math.max(most, one.ahead)
          if (number === 1) t.is(one.before, null)
          else t.deepEqual(sorted(one.before!), sorted(told.get(number - 1)!.tasks))
        }
      }
      t.is(most > 0, ahead, `${most} lists were waiting`)
      if (grouping.includes('SHUFFLE') && executors === 1) {
        const used = new Set(run.seen('seen').map(({ task }) => task))
        t.is(used.size, tasks, 'shuffle leaves nobody out')
      }
    },
  )
}
