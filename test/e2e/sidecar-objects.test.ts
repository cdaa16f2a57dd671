// Components that a topology names by class and arguments, and not by serialised bytes: the JVM makes them.
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { LINES, tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const COUNT = 30
const TASKS = 3

for (const line of LINES) {
  realTest(
    test.serial,
    ['storm-lib'],
    `a spout, a bolt and a grouping of Storm ${line} are made of their classes, with arguments of each type`,
    async (t, [lib]) => {
      t.timeout(120_000)
      const run = await tour(t, lib, line)
      await run.submit('JvmObjects', `tour.count=${COUNT}`)
      await until('all are acked', () => run.noted('acked').length >= COUNT, 60_000)
      t.deepEqual(run.noted('failed'), [])
      const made = '7 1099511627776 häße true [1, -1] 3.0'
      t.deepEqual(run.noted('made'), Array(TASKS).fill(made))
      t.is(run.noted('join').length, COUNT)
      for (const text of run.noted('join')) {
        const [n, task] = text.split(' ').map(Number)
        t.is(task, Math.floor(n! / 2) % TASKS)
      }
    },
  )
}
