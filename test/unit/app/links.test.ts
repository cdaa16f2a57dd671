// Executors and their links, all real but for the network: order, credit, loss, death, more time.

import test from 'ava'
import {
  application,
  broadcast,
  colocation,
  first,
  graph,
  groupBy,
  type Hold,
  hash,
  localOrShuffle,
  type Partitioner,
  processor,
  shuffle,
  source,
  type Task,
} from 'gearpump'
import { simulate } from 'gearpump/testing'
import { Endless, Holder, Numbers, pass, Sink } from '../task/_actors.ts'

const sums = ({
  emitted,
  acked,
  failed,
  pending,
  lost,
}: Record<string, unknown> & object): boolean =>
  emitted === (acked as number) + (failed as number) + (pending as number) + (lost as number)

const partitioners: Record<string, () => Partitioner<number>> = {
  hash,
  shuffle,
  localOrShuffle,
  broadcast,
  colocation,
  first,
  groupBy: () => groupBy(value => value % 5),
}

for (const [name, partitioner] of Object.entries(partitioners)) {
  for (const executors of [1, 3]) {
    test(`${name}: order is kept per pair of tasks, in ${executors} executor(s)`, async t => {
      const got = new Map<string, number[]>()
      const n = 600
      const sources = 2
      const app = application(
        'order',
        graph(
          source('numbers', () => new Numbers(n, { batch: 7 }), { parallelism: sources }).to(
            processor<number, never>(
              'sink',
              (): Task<number> => ({
                needsOrigin: true,
                onNext: (value, context) => {
                  const key = `${context.sourceTask} ${context.taskId}`
                  got.set(key, [...(got.get(key) ?? []), value])
                },
              }),
              { parallelism: 3 },
            ),
            partitioner(),
          ),
        ),
        { profile: { frameMessages: 16, creditWindow: 64 } },
      )
      const run = await simulate(app, { executors, seed: 3, faults: { delayMsMax: 4 } })
      await run.drained()
      let total = 0
      for (const [key, values] of got) {
        t.deepEqual(
          values,
          [...values].sort((a, b) => a - b),
          key,
        )
        total += values.length
        t.not(key.split(' ')[0], '0')
      }
      t.is(total, n * sources * (name === 'broadcast' ? 3 : 1))
      await run.close()
    })
  }
}

test('a broadcast is one message per executor', async t => {
  const got: number[] = []
  const app = application(
    'broadcast',
    graph(
      source('numbers', () => new Numbers(1)).to(
        processor('sink', () => new Sink(got), { parallelism: 8 }),
        broadcast(),
      ),
    ),
  )
  const run = await simulate(app, { executors: 2 })
  await run.drained()
  t.is(got.length, 8)
  // The source's executor has one open position for the four tasks over there while they hold it.
  t.is((await run.figures()).acked, 1)
  await run.close()
})

test('after a link was lost credit starts anew: more than a window passes', async t => {
  const got: number[] = []
  const numbers = new Numbers(2000, { batch: 5 })
  const app = application(
    'anew',
    graph(source('numbers', () => numbers).to(processor('sink', () => new Sink(got)))),
    { profile: { creditWindow: 32, maxOpenRoots: 100 } },
  )
  const run = await simulate(app, { executors: 2, faults: { delayMsMin: 1, delayMsMax: 2 } })
  await run.advance(20)
  run.network.sever('executor-1', 'executor-2')
  await run.drained()
  t.true(numbers.failed.length > 0)
  t.is(new Set(got).size, 2000)
  t.true(sums({ ...(await run.figures()) }))
  await run.close()
})

test('a lost frame fails the roots it carried long before the time-out, and they are emitted again', async t => {
  const got: number[] = []
  const numbers = new Numbers(500)
  const app = application(
    'loss',
    graph(source('numbers', () => numbers).to(processor('sink', () => new Sink(got)))),
    { profile: { timeoutMs: 1_000_000, frameMessages: 8 } },
  )
  const run = await simulate(app, { executors: 2, seed: 11, faults: { loss: 0.1, delayMsMax: 2 } })
  await run.drained({ withinMs: 100_000 })
  t.true(numbers.failed.length > 0)
  t.is(new Set(got).size, 500)
  await run.close()
})

test('untracked messages flow on though frames with credit are lost', async t => {
  const got: number[] = []
  const app = application(
    'untracked',
    graph(source('numbers', () => new Endless(false)).to(processor('sink', () => new Sink(got)))),
    { profile: { guarantee: 'at-most-once', creditWindow: 16 } },
  )
  const run = await simulate(app, { executors: 2, seed: 2, faults: { delayMsMax: 1 } })
  // Not from the start: sockets lose no greeting.
  await run.advance(10)
  run.network.faults.loss = 0.2
  await run.advance(20_000)
  const before = got.length
  await run.advance(20_000)
  t.true(got.length > before + 100, `${got.length - before} in 20 s`)
  await run.close()
})

test('when an executor dies, roots two hops away fail at once and its tasks come back', async t => {
  const held: { value: number; hold: Hold }[] = []
  const numbers = new Numbers(10)
  const app = application(
    'chain',
    graph(
      source('numbers', () => numbers)
        .to(processor<number, number>('middle', pass))
        .to(processor('end', () => new Holder(held))),
    ),
  )
  const run = await simulate(app, { executors: 3 })
  await run.advance(50)
  t.is(held.length, 10)
  // Away from the heartbeats, which would carry the news as well.
  const at = run.environment.now()
  run.crash(3)
  await run.environment.until(() => numbers.failed.length === 10, { stepMs: 1, withinMs: 40 })
  t.true(run.environment.now() - at < 40)
  await run.environment.until(() => held.length === 20)
  for (const { hold } of held.slice(10)) hold.release()
  await run.drained()
  t.is(numbers.done_.length, 10)
  t.true(sums({ ...(await run.figures()) }))
  await run.close()
})

for (const executors of [1, 3]) {
  test(`more time asked for by a hold reaches the root, over ${executors - 1} link(s) or none`, async t => {
    const held: { value: number; hold: Hold }[] = []
    const numbers = new Numbers(2)
    const app = application(
      'renew',
      graph(
        source('numbers', () => numbers)
          .to(processor<number, number>('middle', pass))
          .to(processor('end', () => new Holder(held))),
      ),
      { profile: { timeoutMs: 1000 } },
    )
    const run = await simulate(app, { executors })
    await run.advance(10)
    const kept = held.find(({ value }) => value === 1)!
    for (let i = 0; i < 20; i++) {
      await run.advance(400)
      kept.hold.renew()
    }
    t.false(numbers.failed.includes(1), 'the renewed one lives')
    t.true(numbers.failed.includes(0), 'the other has timed out')
    t.true(kept.hold.open)
    kept.hold.release()
    await run.advance(50)
    t.true(numbers.done_.includes(1))
    await run.close()
  })
}

test('a task that is full stops only its own share, over links too', async t => {
  const held: { value: number; hold: Hold }[] = []
  let stuck = 0
  const endless = new Endless()
  const app = application(
    'share',
    graph(
      source('numbers', () => endless).to(
        processor<number, never>(
          'sink',
          (): Task<number> => ({
            onNext: (value, context) => {
              if (context.index !== 1) return undefined
              stuck++
              held.push({ value, hold: context.hold() })
              return new Promise<void>(() => undefined)
            },
          }),
          { parallelism: 4 },
        ),
        shuffle(),
      ),
    ),
    { profile: { inboxDepth: 16, creditWindow: 16 } },
  )
  const run = await simulate(app, { executors: 2 })
  await run.advance(50)
  t.is(stuck, 1)
  const before = endless.acked
  await run.advance(100)
  t.true(endless.acked > before + 1000, `${endless.acked - before} in 100 ms`)
  const { components } = await run.figures()
  t.true(components.sink!.inFlight < 100)
  await run.close()
})
