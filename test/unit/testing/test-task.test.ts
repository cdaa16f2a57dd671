// The kit for a single task: what it shows must be what a run would do.
import test from 'ava'
import type { Task, TaskContext } from '../../../src/task/task.ts'
import { type Hold, testTask } from './doors.ts'

const split: () => Task<string, string> = () => ({
  onNext: (line, context) => {
    for (const word of line.split(' ')) context.output(word)
  },
})

test('an input is released when onNext returns, and what was emitted is anchored to it', async t => {
  const task = await testTask(split())
  const input = task.push('to be')
  t.deepEqual(task.outputs(), ['to', 'be'])
  t.is(input.state, 'released')
  t.deepEqual(
    task.emitted.map(output => output.anchors),
    [[input], [input]],
  )
})

test('an input fails when onNext throws, and the error is kept', async t => {
  const task = await testTask<string, never>({
    onNext: () => {
      throw new Error('no')
    },
  })
  t.is(task.push('x').state, 'failed')
  t.deepEqual(
    task.errors.map(error => error.message),
    ['no'],
  )
})

test('a promise parks the task: the next input waits', async t => {
  let resolve: () => void = () => undefined
  const task = await testTask<number, number>({
    onNext: async (value, context) => {
      await new Promise<void>(done => {
        resolve = done
      })
      context.output(value)
    },
  })
  const first = task.push(1)
  const second = task.push(2)
  t.deepEqual([first.state, second.state], ['running', 'waiting'])
  resolve()
  await task.advance(1)
  t.deepEqual([first.state, second.state], ['released', 'running'])
  t.deepEqual(task.outputs(), [1])
  t.deepEqual(task.emitted[0]!.anchors, [first])
})

test('a held input is released, failed or renewed by its holder', async t => {
  const holds: Hold[] = []
  const task = await testTask<number, never>({
    onNext: (_, context) => void holds.push(context.hold()),
  })
  const [one, two, three] = [task.push(1), task.push(2), task.push(3)]
  t.deepEqual([one.state, two.state, three.state], ['held', 'held', 'held'])
  holds[0]!.release()
  holds[1]!.fail()
  holds[2]!.renew()
  t.deepEqual([one.state, two.state, three.state], ['released', 'failed', 'held'])
  t.is(three.renewals, 1)
})

test('a join shows every input it is anchored to', async t => {
  const holds: Hold[] = []
  const task = await testTask<number, never>({
    onNext: (_, context) => void holds.push(context.hold()),
  })
  const inputs = [task.push(1), task.push(2)]
  task.push(3, { tracked: false })
  task.context.emitAnchored(task.context.outlet('joined')!, 'both', holds)
  t.deepEqual(task.emitted[0]!.anchors, inputs)
  t.deepEqual(task.outputs('joined'), ['both'])
})

test("timers, messages to self and the clock come on the task's own turn", async t => {
  const seen: unknown[] = []
  const task = await testTask<number, string>({
    onStart: context => {
      context.schedule(100, () => context.output('tick'))
      context.scheduleOnce(250, () => context.self('once'))
    },
    onNext: value => void seen.push(value),
    onMessage: message => void seen.push(message),
    onClock: (clockUs, context) => void seen.push([clockUs, context.upstreamClock]),
  })
  await task.advance(301)
  t.deepEqual(task.outputs(), ['tick', 'tick', 'tick'])
  t.deepEqual(task.emitted[0]!.anchors, [])
  task.clock(42)
  t.deepEqual(seen, ['once', [42, 42]])
})

test('origin, place and settings are what the test says', async t => {
  let seen: unknown
  const task = await testTask<number, never>(
    {
      onNext: (_, context: TaskContext<never>) => {
        seen = [
          context.sourceTask,
          context.edge,
          context.taskId,
          context.parallelism,
          context.config.x,
        ]
      },
    },
    { taskId: 9, parallelism: 4, config: { x: 'y' } },
  )
  task.push(1, { sourceTask: 5, edge: 2 })
  t.deepEqual(seen, [5, 2, 9, 4, 'y'])
})

test('behind full consumers a task takes one input and waits', async t => {
  const task = await testTask(split())
  task.setFull(true)
  const [one, two] = [task.push('a'), task.push('b')]
  t.deepEqual([one.state, two.state], ['released', 'waiting'])
  task.setFull(false)
  t.deepEqual(task.outputs(), ['a', 'b'])
})

test('stopping a task fails what it still holds', async t => {
  let stopped = false
  const task = await testTask<number, never>({
    onNext: (_, context) => void context.hold(),
    onStop: () => {
      stopped = true
    },
  })
  const input = task.push(1)
  await task.stop()
  t.true(stopped)
  t.is(input.state, 'failed')
})

test('what plain JavaScript logs and reports is told as text, whatever it is', async t => {
  const task = await testTask<unknown, never>({
    onNext: (value, context) => {
      context.log(value as 'info', value as string)
      context.report(value as Error)
    },
  })
  task.push(undefined)
  task.push({ code: 7 })
  t.deepEqual(task.lines, [
    { level: 'info', text: 'undefined' },
    { level: 'info', text: '{ code: 7 }' },
  ])
  t.deepEqual(
    task.errors.map(error => error.message),
    ['undefined', '{"code":7}'],
  )
})
