// Windows with state over checkpoints: Storm's own executors of them, fed by the checkpoint spout that they bring. As in Storm, only those
// whose windows are kept tell their bolt when its state is.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const COUNT = 50
const WINDOW = 10
const CHECKPOINTS = 'topology.state.checkpoint.interval.ms=200'

const SUM = (COUNT * (COUNT - 1)) / 2

for (const [line, name, what, acked] of [
  // Storm acks a tuple when it has left its window, which the last ones do not.
  ['1.0', 'JvmWindows', 'a windowed bolt with state', COUNT - WINDOW],
  ['1.2', 'JvmWindows', 'a windowed bolt with state', COUNT - WINDOW],
  ['2', 'JvmWindows', 'a windowed bolt with state', COUNT - WINDOW],
  ['2', 'JvmPersistent', 'a windowed bolt with state whose windows are kept', COUNT],
] as const) {
  realTest(
    test.serial,
    ['storm-lib'],
    `${what} of Storm ${line} sees each window once; what it has done with is acked`,
    async (t, [lib]) => {
      t.timeout(120_000)
      const run = await tour(t, lib, line)
      await run.submit(name, `tour.count=${COUNT}`, CHECKPOINTS)
      const windows = COUNT / WINDOW
      await until('all windows', () => run.noted('windows').length >= windows, 60_000)
      const sums = Array.from({ length: windows }, (_, i) => (i + 1) * WINDOW)
      t.deepEqual(
        run.noted('windows'),
        sums.map(n => `${WINDOW} ${(n * (n - 1)) / 2}`),
      )
      t.is(run.noted('state')[0], 'begins with 0')
      await until('the first are acked', () => run.noted('acked').length >= acked, 30_000)
      t.deepEqual(
        run
          .noted('acked')
          .map(Number)
          .sort((a, b) => a - b),
        Array.from({ length: acked }, (_, i) => i),
      )
      t.deepEqual(run.noted('failed'), [])
      if (name === 'JvmPersistent')
        await until('it is kept', () => run.noted('state').at(-1) === `keeps ${SUM}`, 30_000)
    },
  )
}

realTest(
  test.serial,
  ['storm-lib'],
  'a windowed bolt with state that throws begins again with what the last checkpoint has kept',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    const all = COUNT + WINDOW
    const sum = (all * (all - 1)) / 2
    const settings = [
      CHECKPOINTS,
      `tour.throw.at=${sum}`,
      'topology.state.provider=JvmPersistent$Kept',
    ]
    await run.submit('JvmPersistent', `tour.count=${COUNT}`, ...settings)
    await until('it is kept', () => run.noted('state').at(-1) === `keeps ${SUM}`, 60_000)
    // A second time, so that the first one is over.
    const kept = () => run.noted('state').filter(line => line === `keeps ${SUM}`).length
    await until('it is kept again', () => kept() >= 2, 30_000)
    writeFileSync(join(run.dir, 'more'), '')
    await until('all are acked', () => new Set(run.noted('acked')).size >= all, 60_000)
    const begun = run.noted('state').filter(line => line.startsWith('begins'))
    t.deepEqual(begun, ['begins with 0', `begins with ${SUM}`])
    t.is(run.noted('windows').at(-1), `${WINDOW} ${sum}`)
    const { errors } = await run.info('JvmPersistent')
    const told = errors.sum!.last.map(({ message }) => message).join('\n')
    t.regex(told, /threw: [\s\S]*IllegalStateException: a window too many/)
  },
)
