// What is said when the app clock stands still: which task, in which executor, for how long, and when it moves again.
import test from 'ava'
import { application, graph, type Hold, processor, source, type Task } from 'gearpump'
import { simulate } from 'gearpump/testing'
import type { Log, LogLine } from '../../../src/base/log.ts'
import { Holder, Numbers } from '../task/_actors.ts'

function lines(): { log: Log; said: LogLine[] } {
  const said: LogLine[] = []
  return { log: { write: line => void said.push(line) }, said }
}

test('a held input that keeps the app clock is named with its task, executor and age, once; its end is told too', async t => {
  const held: { value: number; hold: Hold }[] = []
  const numbers = new Numbers(1, { ends: false })
  const app = application(
    'held',
    graph(
      source('numbers', () => numbers).to(
        processor<number, never>('keeper', (): Task<number> => {
          const holder = new Holder(held)
          return { onNext: (value, context) => holder.onNext(value, context) }
        }),
      ),
    ),
    { profile: { timeoutMs: 0 } },
  )
  const { log, said } = lines()
  const run = await simulate(app, { executors: 2, log })
  await run.advance(12_000)
  const { stall } = await run.master.report()
  t.is(stall?.source?.processor, 'numbers')
  t.true(stall!.source!.ageMs >= 10_000)
  t.like(stall!.tasks[0], {
    processor: 'keeper',
    executor: 2,
    waitsFor: 'its task to let go of it',
  })
  t.true(stall!.tasks[0]!.ageMs >= 2000)
  t.is(said.filter(line => line.where === 'app clock').length, 0, 'not said yet')

  await run.advance(60_000)
  const told = said.filter(line => line.where === 'app clock')
  t.is(told.length, 1)
  t.regex(
    told[0]!.text,
    /^has stood still for 3\d\.\d s; the oldest root, of numbers\[task 1\], is \d+\.\d s old; held by keeper\[task 2\] in executor 2: an input waits since \d+\.\d s for its task to let go of it$/,
  )

  held[0]!.hold.release()
  await run.advance(5000)
  t.is((await run.master.report()).stall, undefined)
  t.is(said.filter(line => line.where === 'app clock').at(-1)!.text, 'moves on')
  await run.close()
})

test('an application whose sources say nothing is not called stalled', async t => {
  const app = application(
    'silent',
    graph(
      source('numbers', () => new Numbers(0, { ends: false })).to(
        processor<number, never>('sink', () => ({ onNext: () => undefined })),
      ),
    ),
  )
  const run = await simulate(app, {})
  await run.advance(60_000)
  t.is((await run.master.report()).stall, undefined)
  await run.close()
})
