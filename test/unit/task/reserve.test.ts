// Targets that are taken before the message is there: what was promised is what is done, and nothing else changes.
import test from 'ava'
import fc from 'fast-check'
import {
  application,
  broadcast,
  graph,
  groupBy,
  type Partitioner,
  processor,
  shuffle,
  source,
  type Task,
} from 'gearpump'
import { EngineError, first, NONE, type Outlet, type TaskSpiContext } from 'gearpump/spi'
import { simulate } from 'gearpump/testing'
import { Endless, Numbers, Valve } from './_actors.ts'
import '../seed.ts'

const kinds: Record<string, () => Partitioner<number>> = { shuffle, broadcast, first }

interface Shape {
  readonly consumers: readonly (keyof typeof kinds)[]
  readonly parallelism: number
  readonly executors: number
  readonly seed: number
}

// One task does `steps` on its outlet, one per input; consumers write down who got what.
async function run(shape: Shape, step: (outlet: Outlet, value: number) => void, inputs: number) {
  const got = new Map<number, number[]>()
  const numbers = source<number>('numbers', () => new Numbers(inputs))
  const emitter = processor<number, number>('emitter', () => {
    let outlet: Outlet
    return {
      onStart: context => {
        outlet = (context as unknown as TaskSpiContext).outlet('default')!
      },
      onNext: value => step(outlet, value),
    }
  })
  const paths = shape.consumers.map((kind, i) =>
    emitter.to(
      processor<number, never>(
        `sink${i}`,
        (): Task<number> => ({
          onNext: (value, context) => {
            got.set(value, [...(got.get(value) ?? []), context.taskId])
          },
        }),
        { parallelism: shape.parallelism },
      ),
      kinds[kind]!(),
    ),
  )
  const app = application('reserve', graph(numbers.to(emitter, shuffle()), ...paths))
  const running = await simulate(app, { executors: shape.executors, seed: shape.seed })
  await running.drained()
  await running.close()
  return got
}

const sorted = (ids: readonly number[]) => [...ids].sort((a, b) => a - b)

test('messages go to the tasks that were reserved for them, in any order and with others in between', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        consumers: fc.array(fc.constantFrom(...Object.keys(kinds)), { minLength: 1, maxLength: 3 }),
        parallelism: fc.integer({ min: 1, max: 4 }),
        executors: fc.integer({ min: 1, max: 2 }),
        seed: fc.integer(),
      }),
      fc.array(fc.constantFrom('reserve', 'first', 'last', 'emit'), {
        minLength: 1,
        maxLength: 60,
      }),
      async (shape, steps) => {
        const open: (readonly number[])[] = []
        const promised = new Map<number, readonly number[]>()
        const got = await run(
          shape,
          (outlet, i) => {
            const step = steps[i]!
            if (step === 'reserve') open.push(outlet.reserve())
            else if (step === 'emit') outlet.emit(i, NONE)
            else {
              const ids = step === 'first' ? open.shift() : open.pop()
              if (ids === undefined) return
              promised.set(i, ids)
              outlet.emitReserved(ids, i, NONE)
            }
          },
          steps.length,
        )
        for (const [value, ids] of promised) {
          t.deepEqual(sorted(got.get(value) ?? []), sorted(ids))
          t.is(ids.length >= shape.consumers.length, true)
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('reserved turns go round like any other', async t => {
  const counts = new Map<number, number>()
  await run(
    { consumers: ['shuffle'], parallelism: 4, executors: 1, seed: 1 },
    outlet => {
      for (const id of outlet.reserve()) counts.set(id, (counts.get(id) ?? 0) + 1)
    },
    40,
  )
  t.deepEqual([...counts.values()], [10, 10, 10, 10])
})

test('an outlet says what its targets depend on, and reserves nothing where that is the message', async t => {
  const seen: string[] = []
  const numbers = source<number>('numbers', () => new Numbers(1))
  const emitter = processor<number, number>('emitter', () => ({
    onNext: (_, context) => {
      for (const port of ['one', 'many', 'all', 'key', 'mixed', 'turns']) {
        const outlet = (context as unknown as TaskSpiContext).outlet(port)!
        seen.push(`${port} ${outlet.targeting}`)
        if (outlet.targeting !== 'message') continue
        const error = t.throws(() => outlet.reserve(), { instanceOf: EngineError })
        t.is(error.code, 'BUG')
      }
    },
  }))
  let sinks = 0
  const to = (port: string, partitioner: Partitioner<number>, parallelism: number) =>
    emitter.to(
      processor<number, never>(`sink${sinks++}`, () => ({ onNext: () => undefined }), {
        parallelism,
      }),
      partitioner,
      port,
    )
  const byKey = () => groupBy<number>(value => value)
  const running = await simulate(
    application(
      'says',
      graph(
        numbers.to(emitter, shuffle()),
        to('one', byKey(), 1),
        to('many', shuffle(), 3),
        to('all', broadcast(), 3),
        to('key', byKey(), 3),
        to('mixed', shuffle(), 3),
        to('mixed', byKey(), 3),
        to('turns', shuffle(), 3),
        to('turns', first(), 3),
      ),
    ),
  )
  await running.drained()
  await running.close()
  t.deepEqual(seen, [
    'one always',
    'many turns',
    'all always',
    'key message',
    'mixed message',
    'turns turns',
  ])
})

test('what was reserved at a task that got stuck goes there, and does not stop the emitter while others have room', async t => {
  const reserved = 6
  const depth = 4
  const valve = new Valve<number>()
  const got = [0, 0]
  const emitter = processor<number, number>('emitter', () => {
    const open: (readonly number[])[] = []
    return {
      onNext: (value, context) => {
        const outlet = (context as unknown as TaskSpiContext).outlet('default')!
        while (open.length < reserved) open.push(outlet.reserve())
        outlet.emitReserved(open.shift()!, value, NONE)
      },
    }
  })
  const sink = processor<number, number>(
    'sink',
    (): Task<number, number> => ({
      onNext: (value, context) => {
        got[context.index]!++
        return context.index === 0 ? valve.onNext(value, context) : undefined
      },
    }),
    { parallelism: 2 },
  )
  const app = application(
    'stuck',
    graph(
      source('numbers', () => new Endless(false))
        .to(emitter, shuffle())
        .to(sink, shuffle()),
    ),
    { profile: { inboxDepth: depth } },
  )
  const running = await simulate(app)
  await running.advance(50)
  t.is(got[0], 1, 'one is stuck')
  t.true(got[1]! > 1000, `${got[1]} went to the other`)
  const [{ tasks }] = [await running.status(running.executors[0]!)]
  const waiting = Math.max(...tasks.map(task => task.inFlight))
  t.true(waiting <= depth + reserved, `${waiting} wait at the stuck task`)
  await running.close()
})
