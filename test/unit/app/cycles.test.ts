// Edges that lead back: they never block, and when too much waits on them the sources pause.

import test from 'ava'
import { application, type Dag, graph, processor, shuffle, source, type Task } from 'gearpump'
import { type Simulation, simulate } from 'gearpump/testing'
import { Endless, Numbers } from '../task/_actors.ts'

interface Round {
  value: number
  left: number
}

// Each number goes round `times` times between two processors, and grows by `copies` on each way back.
function loop(
  numbers: () => Numbers | Endless,
  { times = 3, copies = 1, parallelism = 1 } = {},
): Dag {
  const first = processor<number | Round, Round>(
    'first',
    (): Task<number | Round, Round> => ({
      onNext: (value, context) =>
        context.output(typeof value === 'number' ? { value, left: times } : value),
    }),
    { parallelism },
  )
  const second = processor<Round, Round>(
    'second',
    (): Task<Round, Round> => ({
      onNext: ({ value, left }, context) => {
        if (left === 0) return
        for (let i = 0; i < copies; i++) context.output({ value, left: left - 1 })
      },
    }),
    { parallelism },
  )
  return graph(
    source('numbers', numbers).to(first, shuffle()),
    first.to(second, shuffle()),
    second.to(first, shuffle()),
  )
}

async function inFlight(run: Simulation): Promise<number> {
  const { components } = await run.figures()
  return components.first!.inFlight + components.second!.inFlight
}

for (const executors of [1, 2]) {
  test(`a loop under full load never blocks, in ${executors} executor(s)`, async t => {
    const app = application(
      'loop',
      loop(() => new Endless(), { parallelism: 2 }),
      { profile: { inboxDepth: 16, creditWindow: 16, maxOpenRoots: 1000 } },
    )
    const run = await simulate(app, { executors, seed: 4 })
    let before = 0
    for (let i = 0; i < 3; i++) {
      await run.advance(40)
      const { acked } = await run.figures()
      t.true(acked > before + 100, `${acked - before} acked in 40 ms`)
      before = acked
    }
    await run.master.setActive(false)
    await run.drained()
    t.is((await run.figures()).pending, 0)
    await run.close()
  })

  test(`a loop that grows pauses the sources at its bound and lets them go on, in ${executors} executor(s)`, async t => {
    const numbers = new Numbers(1000, { batch: 50 })
    const app = application(
      'growing',
      loop(() => numbers, { times: 2, copies: 6 }),
      {
        profile: { inboxDepth: 16, creditWindow: 16, cycleDepth: 200, maxOpenRoots: 0 },
      },
    )
    let paused = 0
    const run = await simulate(app, {
      executors,
      log: { write: () => undefined },
    })
    let most = 0
    await run.environment.until(
      async () => {
        const waiting = await inFlight(run)
        most = Math.max(most, waiting)
        if (waiting >= 200) paused++
        return numbers.done_.length === 1000
      },
      { withinMs: 100_000, stepMs: 1 },
    )
    t.is(numbers.failed.length, 0)
    t.true(paused > 0)
    t.true(most < 1000 * 36, `${most} waited`)
    await run.drained()
    await run.close()
  })
}

test('messages that go round for ever leave room for those that come', async t => {
  const passed: number[] = []
  const numbers = new Numbers(500)
  const wheel = processor<number, number>(
    'wheel',
    (): Task<number, number> => ({
      onNext: (value, context) => context.output(value),
    }),
  )
  // Below the wheel and the hub, which are never both at rest.
  const before = processor<number, number>(
    'before',
    (): Task<number, number> => ({
      onNext: (value, context) => context.output(value),
    }),
  )
  const hub = processor<number, number>(
    'hub',
    (): Task<number, number> => ({
      onNext: (value, context) => context.output(value),
    }),
  )
  const sink = processor<number, never>(
    'sink',
    (): Task<number> => ({
      onNext: value => void passed.push(value),
    }),
  )
  const spinner = source<number>('spinner', () => ({
    next: out => {
      out.output(-1)
      return 'end'
    },
  }))
  const app = application(
    'spin',
    graph(
      spinner.to(before).to(hub),
      hub.to(wheel),
      wheel.to(hub),
      source('numbers', () => numbers).to(sink),
    ),
  )
  const run = await simulate(app)
  await run.advance(600)
  t.is(passed.length, 500)
  t.is(numbers.done_.length, 500)
  await run.close()
})
