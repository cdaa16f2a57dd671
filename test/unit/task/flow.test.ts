// Flow control: inboxes stay bounded, shuffle goes round what is full, cycles never block.

import test from 'ava'
import fc from 'fast-check'
import {
  application,
  broadcast,
  type Dag,
  graph,
  groupBy,
  multicast,
  type Partitioner,
  processor,
  shuffle,
  source,
  type Task,
  unicast,
} from 'gearpump'
import { simulate } from 'gearpump/testing'
import { Endless, Numbers, Valve } from './_actors.ts'
import '../seed.ts'

const DEPTH = 16

function slowSink(taken: number[]): Task<number> {
  return {
    onNext: async (value, context) => {
      taken.push(value)
      await new Promise<void>(resolve => void context.self(resolve))
    },
    onMessage: () => undefined,
  }
}

for (const executors of [1, 2]) {
  for (const [name, partitioner] of Object.entries<() => Partitioner<number>>({
    shuffle,
    broadcast,
    groupBy: () => groupBy(value => value),
  })) {
    test(`${name}: what waits at a stuck task is at most the depth and one input's output of each emitter, in ${executors} executor(s)`, async t => {
      const fanOut = 5
      const emitters = 3
      const dag: Dag = graph(
        source('numbers', () => new Endless())
          .to(
            processor<number, number>(
              'fan',
              () => ({
                onNext: (value, context) => {
                  for (let i = 0; i < fanOut; i++) context.output(value * fanOut + i)
                },
              }),
              { parallelism: emitters },
            ),
            shuffle(),
          )
          .to(
            processor<number, never>('stuck', () => slowSink([]), { parallelism: 2 }),
            partitioner(),
          ),
      )
      const app = application('bound', dag, { profile: { inboxDepth: DEPTH, creditWindow: DEPTH } })
      const run = await simulate(app, { executors })
      await run.advance(300)
      for (const id of run.executors) {
        const { tasks } = await run.status(id)
        for (const task of tasks.filter(({ processor }) => processor === 'stuck')) {
          // Over links every pair has a window of its own.
          const most = (executors === 1 ? DEPTH : emitters * DEPTH) + emitters * fanOut
          t.true(task.inFlight <= most, `${task.inFlight} > ${most}`)
        }
      }
      const first = (await run.figures()).emitted
      await run.advance(1000)
      t.is((await run.figures()).emitted, first, 'the source stands still')
      await run.close()
    })
  }
}

test('shuffle goes round: with room everywhere each task gets as many as any other, or one more', async t => {
  const got = [0, 0, 0, 0, 0]
  const app = application(
    'even',
    graph(
      source('numbers', () => new Numbers(403)).to(
        processor<number, never>(
          'sink',
          (): Task<number> => ({
            onNext: (_, context) => void got[context.index]!++,
          }),
          { parallelism: 5 },
        ),
        shuffle(),
      ),
    ),
  )
  const run = await simulate(app, { executors: 2 })
  await run.drained()
  t.deepEqual([...got].sort(), [80, 80, 81, 81, 81])
  await run.close()
})

test('shuffle passes over tasks that are full', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer(),
      async (parallelism, executors, seed) => {
        const got = new Map<number, number>()
        const valve = new Valve<number>()
        const app = application(
          'round',
          graph(
            source('numbers', () => new Numbers(400)).to(
              processor<number, number>(
                'sink',
                (): Task<number, number> => ({
                  onNext: (value, context) => {
                    got.set(context.index, (got.get(context.index) ?? 0) + 1)
                    return context.index === 0 ? valve.onNext(value, context) : undefined
                  },
                }),
                { parallelism },
              ),
              shuffle(),
            ),
          ),
          { profile: { inboxDepth: 8, creditWindow: 8 } },
        )
        const run = await simulate(app, { executors, seed })
        await run.advance(200)
        const { emitted, acked } = await run.figures()
        t.is(emitted, 400)
        t.true(acked >= 400 - 10, `${acked} acked`)
        t.is(got.size, parallelism)
        valve.open()
        await run.drained()
        t.is((await run.figures()).acked, 400)
        await run.close()
      },
    ),
    { numRuns: 12 },
  )
})

test('a task whose timer emits while it waits goes on in order when there is room', async t => {
  const valve = new Valve<number>()
  const app = application(
    'timer',
    graph(
      source('numbers', () => new Numbers(200))
        .to(
          processor<number, number>('a', () => ({
            onNext: (value, context) => context.output(value),
          })),
        )
        .to(processor<number, number>('b', () => valve)),
    ),
    { profile: { inboxDepth: 4 } },
  )
  const run = await simulate(app)
  await run.advance(100)
  t.is(valve.taken, 1)
  valve.open()
  await run.drained()
  t.is((await run.figures()).acked, 200)
  await run.close()
})

test('a partitioner of the user that throws, or is a level short, is told at the start', async t => {
  const wrong: [partitioner: Partitioner<number>, told: RegExp][] = [
    [unicast(((value: number) => value) as never), /given to unicast\(\) returns no function/],
    [multicast((() => [0]) as never), /given to multicast\(\) returns no function/],
    [
      unicast(() => {
        throw new Error('no table')
      }),
      /given to unicast\(\) threw: no table/,
    ],
  ]
  for (const [partitioner, told] of wrong) {
    const sink = processor<number, never>('sink', () => ({ onNext: () => undefined }))
    const dag = graph(source('numbers', () => new Numbers(1)).to(sink, partitioner))
    const error = await t.throwsAsync(simulate(application('wrong', dag)))
    t.regex(error!.message, told)
  }
})
