// What a task may rely on: its own turn, anchors, parking, holds, timers.

import test from 'ava'
import type { Hold, Task, TaskContext } from 'gearpump'
import { EngineError } from 'gearpump'
import { testTask } from 'gearpump/testing'

const holding = (holds: Hold[]): Task<unknown, never> => ({
  onNext: (_, context) => void holds.push(context.hold()),
})

test('letting go twice does nothing: the first of release and fail counts', async t => {
  const holds: Hold[] = []
  const task = await testTask(holding(holds))
  const inputs = [task.push(1), task.push(2)]
  t.true(holds[0]!.release())
  t.false(holds[0]!.release())
  t.false(holds[0]!.fail())
  t.true(holds[1]!.fail())
  t.false(holds[1]!.release())
  t.deepEqual(
    inputs.map(input => input.state),
    ['released', 'failed'],
  )
})

test('an emit anchored to an input that was let go is refused', async t => {
  const holds: Hold[] = []
  const task = await testTask(holding(holds))
  task.push(1)
  task.push(2)
  holds[0]!.release()
  const outlet = task.context.outlet('default')!
  const error = t.throws(() => task.context.emitAnchored(outlet, 'late', holds), {
    instanceOf: EngineError,
  })
  t.is(error.code, 'ANCHOR_CLOSED')
  t.deepEqual(task.outputs(), [])
  t.is(task.inputs[1]!.state, 'held')
})

test('a join keeps all its inputs open until its message is done, and one hold named twice counts once', async t => {
  const holds: Hold[] = []
  const task = await testTask(holding(holds))
  task.push(1)
  task.push(2)
  task.context.emitAnchored(task.context.outlet('default')!, 'twice', [holds[0]!, holds[0]!])
  task.context.emitAnchoredTo(task.context.outlet('default')!, 7, 'both', holds)
  t.deepEqual(
    task.emitted.map(output => [output.to, output.anchors.length]),
    [
      [undefined, 1],
      [7, 2],
    ],
  )
  for (const hold of holds) hold.release()
  t.deepEqual(
    task.inputs.map(input => input.state),
    ['released', 'released'],
  )
})

test('holding outside onNext, or twice, is refused', async t => {
  let context: TaskContext<never> | undefined
  const task = await testTask<number, never>({
    onNext: (_, given) => {
      context = given
      given.hold().release()
      given.hold()
    },
  })
  t.is(task.push(1).state, 'released')
  t.is(task.errors.length, 1)
  t.throws(() => context!.hold(), { instanceOf: EngineError })
})

test('an input that was held before onNext threw has failed', async t => {
  const task = await testTask<number, never>({
    onNext: (_, context) => {
      context.hold()
      throw new Error('after the hold')
    },
  })
  t.is(task.push(1).state, 'failed')
})

test('a rejected promise fails its input, and the task goes on', async t => {
  const task = await testTask<number, number>({
    onNext: async (value, context) => {
      await Promise.resolve()
      if (value === 1) throw new Error('odd')
      context.output(value)
    },
  })
  const inputs = [task.push(1), task.push(2)]
  await task.advance(1)
  t.deepEqual(
    inputs.map(input => input.state),
    ['failed', 'released'],
  )
  t.deepEqual(task.outputs(), [2])
})

test('timers and messages to self wait while the task is parked, and keep their order', async t => {
  const seen: string[] = []
  let resume: () => void = () => undefined
  const task = await testTask<number, never>({
    onStart: context => {
      context.schedule(10, () => void seen.push('tick'))
    },
    onNext: async (_, context) => {
      context.self('one')
      context.self('two')
      await new Promise<void>(resolve => {
        resume = resolve
      })
      seen.push('input')
    },
    onMessage: message => void seen.push(String(message)),
  })
  task.push(1)
  await task.advance(55)
  t.deepEqual(seen, [])
  resume()
  await task.advance(1)
  t.deepEqual(seen, ['input', 'one', 'two', 'tick'])
  await task.advance(10)
  t.is(seen.at(-1), 'tick')
  t.is(seen.length, 5)
})

test('a timer that is cancelled between its time and its turn does not call', async t => {
  let resume: () => void = () => undefined
  let called = 0
  let timer: { cancel(): void } | undefined
  const task = await testTask<number, never>({
    onStart: context => {
      timer = context.scheduleOnce(10, () => void called++)
    },
    onNext: () =>
      new Promise<void>(resolve => {
        resume = resolve
      }),
  })
  task.push(1)
  await task.advance(20)
  timer!.cancel()
  resume()
  await task.advance(20)
  t.is(called, 0)
})

test('a task that ends takes its timers with it', async t => {
  const task = await testTask<number, never>(
    {
      onStart: context => {
        context.schedule(3_600_000, () => undefined)
        context.scheduleOnce(3_600_000, () => undefined)
      },
      onNext: () => undefined,
    },
    { profile: { timeoutMs: 0 } },
  )
  t.is(task.environment.timers, 2)
  await task.stop()
  t.is(task.environment.timers, 0)
})

test('an error in a timer is reported and fails no input', async t => {
  const task = await testTask<number, never>({
    onStart: context => {
      context.scheduleOnce(1, () => {
        throw new Error('in the timer')
      })
    },
    onNext: () => undefined,
  })
  const input = task.push(1)
  await task.advance(5)
  t.is(input.state, 'released')
  t.deepEqual(
    task.errors.map(error => error.message),
    ['in the timer'],
  )
})

test('what a timer emits is anchored to nothing, what follows an await to its input', async t => {
  const task = await testTask<number, string>({
    onStart: context => {
      context.scheduleOnce(1, () => context.output('timer'))
    },
    onNext: async (_, context) => {
      await Promise.resolve()
      context.output('input')
    },
  })
  await task.advance(5)
  const input = task.push(1)
  await task.advance(5)
  t.deepEqual(
    task.emitted.map(output => [output.value, output.anchors]),
    [
      ['timer', []],
      ['input', [input]],
    ],
  )
})

test('a hold that is never let go fails at the third rotation, not before', async t => {
  const holds: Hold[] = []
  const task = await testTask(holding(holds), { profile: { timeoutMs: 1000 } })
  await task.advance(500)
  const input = task.push(1)
  await task.advance(2400)
  t.is(input.state, 'held')
  await task.advance(200)
  t.is(input.state, 'failed')
  t.false(holds[0]!.release())
})

test('asking for more time keeps a hold for two more periods', async t => {
  const holds: Hold[] = []
  const task = await testTask(holding(holds), { profile: { timeoutMs: 1000 } })
  const input = task.push(1)
  for (let i = 0; i < 5; i++) {
    await task.advance(1900)
    holds[0]!.renew()
  }
  t.is(input.state, 'held')
  t.is(input.renewals, 5)
  holds[0]!.release()
  holds[0]!.renew()
  t.is(input.state, 'released')
  t.is(input.renewals, 5)
})

test('ready resolves when consumers have room again', async t => {
  const seen: string[] = []
  const task = await testTask<number, number>({
    onNext: async (value, context) => {
      context.output(value)
      await context.ready()
      seen.push('room')
      context.output(value + 1)
    },
  })
  task.setFull(true)
  task.push(1)
  await task.advance(10)
  t.deepEqual(task.outputs(), [1])
  task.setFull(false)
  await task.advance(1)
  t.deepEqual([task.outputs(), seen], [[1, 2], ['room']])
})

test('an explicit default port nobody listens to is silent, an unknown one is an error with the nearest name', async t => {
  const { application, graph, processor, source } = await import('gearpump')
  const { simulate } = await import('gearpump/testing')
  const errors: string[] = []
  const make = (port: string) =>
    application(
      'ports',
      graph(
        source('one', () => ({
          next: (out: { output(value: number, id: number): void }) => {
            out.output(1, 1)
            return 'end' as const
          },
        })).to(
          processor<number, number>('emits', () => ({
            onNext: (value, context) => void context.output(value, port),
          })).to(
            processor<number, never>('sink', () => ({ onNext: () => undefined })),
            undefined,
            'odd',
          ),
        ),
      ),
    )
  for (const port of ['default', 'od']) {
    const run = await simulate(make(port), {
      log: { write: line => line.level === 'error' && errors.push(line.text) },
    })
    await run.drained()
    t.is((await run.figures()).failed, port === 'default' ? 0 : 1)
    await run.close()
  }
  t.is(errors.length, 1)
  t.regex(errors[0]!, /UNKNOWN_PORT.*did you mean "odd"/)
})
