// Another number of executors for a running application: what can end ends, what cannot fails at its source, and the tasks
// go on under the same numbers where they stood.
import test from 'ava'
import { application, graph, processor, type Source, type SourceContext, source } from 'gearpump'
import { simulate } from 'gearpump/testing'
import { Holder, Sink } from '../task/_actors.ts'

/** Counts up, one each two ms; begins where it was, and knows what has failed. */
class Counter implements Source<number> {
  static failed: unknown[] = []
  #next = 0

  open(context: SourceContext<number>): void {
    this.#next = (context.position as number | undefined) ?? 0
    context.schedule(2, () => context.wake())
  }

  next(out: SourceContext<number>): boolean {
    out.output(this.#next, this.#next++)
    return false
  }

  fail(id: unknown): void {
    Counter.failed.push(id)
  }

  position(): unknown {
    return this.#next
  }
}

function counting(got: number[], task: () => unknown = () => new Sink(got)) {
  return application(
    'counting',
    graph(
      source('counter', () => new Counter()).to(
        processor<number, never>('sink', task as never, { parallelism: 3 }),
      ),
    ),
    { profile: { maxOpenRoots: 50 } },
  )
}

test('tasks move to other executors and back: each number comes once, and every task keeps its own', async t => {
  const got: number[] = []
  const run = await simulate(counting(got), { executors: 3, faults: { delayMsMax: 2 } })
  const tasks = () =>
    run.master
      .executors()
      .flatMap(({ tasks: own }) => own)
      .sort()
  const before = tasks()
  const ids = new Set(run.executors)
  for (const executors of [1, 4, 2]) {
    await run.advance(1000)
    const sofar = got.length
    await run.environment.awaiting(run.master.rebalance(executors))
    t.is(run.executors.length, executors)
    t.false(
      run.executors.some(id => ids.has(id)),
      'an id came again',
    )
    for (const id of run.executors) ids.add(id)
    t.deepEqual(tasks(), before)
    await run.advance(1000)
    t.true(got.length > sofar + 100, 'the source does not go on')
  }
  await run.environment.awaiting(run.master.setActive(false))
  await run.drained()
  t.deepEqual(
    [...got].sort((a, b) => a - b),
    got.map((_, i) => i),
    'a number is missing, or came twice',
  )
  const { emitted, acked, failed, lost, pending } = await run.figures()
  t.deepEqual(
    { emitted, failed, lost, pending },
    { emitted: acked, failed: 0, lost: 0, pending: 0 },
  )
  t.is(run.master.errors.deaths.length, 0)
  await run.close()
})

test('what never ends fails at its source before its task moves', async t => {
  const held: never[] = []
  Counter.failed = []
  const run = await simulate(
    counting([], () => new Holder(held)),
    { executors: 2 },
  )
  await run.advance(500)
  t.deepEqual(Counter.failed, [])
  await run.environment.awaiting(run.master.rebalance(1))
  t.true(Counter.failed.length > 10)
  const { lost } = await run.figures()
  t.is(lost, 0, 'a source was not told')
  await run.close()
})

test('an application that was paused is paused after a rebalance, and a wish that is heard twice is one', async t => {
  const got: number[] = []
  const run = await simulate(counting(got), { executors: 2 })
  await run.advance(100)
  await run.environment.awaiting(run.master.setActive(false))
  await run.environment.awaiting(
    Promise.all([run.master.rebalance(3), run.master.rebalance(3), run.master.rebalance(3)]),
  )
  t.is(run.executors.length, 3)
  t.is(Math.max(...run.executors), 5)
  const sofar = got.length
  await run.advance(500)
  t.is(got.length, sofar)
  await run.environment.awaiting(run.master.setActive(true))
  await run.advance(100)
  t.true(got.length > sofar)
  await run.close()
})

test('an executor that dies while the sources rest does not hold the rebalance up', async t => {
  const got: number[] = []
  const run = await simulate(counting(got), { executors: 3, faults: { delayMsMax: 2 } })
  await run.advance(500)
  const done = run.master.rebalance(2)
  run.crash(run.executors[1]!)
  await run.environment.awaiting(done)
  await run.environment.until(() => run.executors.length === 2)
  const sofar = got.length
  await run.advance(1000)
  t.true(got.length > sofar + 100)
  await run.close()
})
