// Metrics that Java components register, and the consumers of the settings that are to get them: the user's own, and Storm's
// LoggingMetricsConsumer, whose lines are in the log.
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { LINES, tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const COUNT = 30

for (const line of LINES) {
  realTest(
    test.serial,
    ['storm-lib'],
    `metrics consumers of Storm ${line} get what components count, at the interval, also when nothing happens`,
    async (t, [lib]) => {
      t.timeout(180_000)
      const run = await tour(t, lib, line)
      await run.submit('JvmMetrics', `tour.count=${COUNT}`)
      await until('all are acked', () => run.noted('acked').length >= COUNT, 60_000)
      const seen = () =>
        run
          .noted('points')
          .filter(text => text.includes(' seen='))
          .map(text => /^counted (\d+) 1 seen=(\d+)$/.exec(text)!)
      await until(
        'each is counted',
        () => seen().reduce((sum, [, , n]) => sum + Number(n), 0) >= COUNT,
        30_000,
      )
      t.is(
        seen().reduce((sum, [, , n]) => sum + Number(n), 0),
        COUNT,
      )
      // Two tasks; and with nothing left to do they go on to say so.
      const idle = () => seen().filter(([, , n]) => n === '0')
      const tasks = () => new Set(idle().map(([, task]) => task))
      await until(
        'idle tasks tell it twice',
        () => tasks().size === 2 && idle().length >= 4,
        30_000,
      )
      const rests = () =>
        run.noted('points').filter(text => / 2 rests=\{of0=\d+, of1=\d+\}$/.test(text))
      await until('a metric of several parts is told', () => rests().length > 0, 30_000)
      t.is(run.noted('consumer')[0], 'prepared with an argument by JvmMetrics')
      const { errors } = await run.info('JvmMetrics')
      const told = Object.values(errors).flatMap(({ last }) => last.map(({ message }) => message))
      t.true(
        told.some(message => message.includes('the first points are too much')),
        told.join('\n'),
      )
      t.true(
        run.lines.some(text => /counted\s+seen\s+\d+/.test(text)),
        'LoggingMetricsConsumer logs',
      )
      await run.kill('JvmMetrics')
      await until('it is cleaned up', () => run.noted('consumer').includes('cleaned up'), 30_000)
      t.is(run.noted('consumer').length, 2)
    },
  )
}

for (const line of ['1.2', '2']) {
  realTest(
    test.serial,
    ['storm-lib'],
    `a metrics consumer of Storm ${line} gets metrics of several parts one by one, and without those of its blacklist, if it asks`,
    async (t, [lib]) => {
      t.timeout(120_000)
      const run = await tour(t, lib, line)
      await run.submit('JvmMetrics', `tour.count=${COUNT}`, 'tour.filter=1')
      await until('two intervals are told', () => run.noted('points').length >= 2, 60_000)
      for (const text of run.noted('points')) t.regex(text, /^counted \d 2 rests\/of0=\d+$/)
    },
  )
}

realTest(
  test.serial,
  ['storm-lib'],
  'a metrics consumer that is in no jar is refused by its name',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    const refused = await t.throwsAsync(
      run.submit('JvmMetrics', 'tour.consumer=com.example.Graphite'),
    )
    t.regex(
      refused!.message,
      /the metrics consumer com\.example\.Graphite of topology\.metrics\.consumer\.register cannot be made/,
    )
  },
)
