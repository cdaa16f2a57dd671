// The kit for a whole DAG: outputs per processor, failed ids, and the same over links that lose frames.
import test from 'ava'
import { graph, groupBy, processor, type Source, shuffle, source, type Task } from 'gearpump'
import { runDag } from './doors.ts'

const never = (): Source<string> => ({ next: () => 'end' })
const lines = (parallelism = 1) => source<string>('lines', never, { parallelism })
const split = (parallelism = 1) =>
  processor<string, string>(
    'split',
    (): Task<string, string> => ({
      onNext: (line, context) => {
        if (line === 'bad') throw new Error('a bad line')
        for (const word of line.split(' ')) context.output(word)
      },
    }),
    { parallelism },
  )
const count = (parallelism = 1) =>
  processor<string, [string, number]>(
    'count',
    (): Task<string, [string, number]> => {
      const counts = new Map<string, number>()
      return {
        onNext: (word, context) => {
          counts.set(word, (counts.get(word) ?? 0) + 1)
          context.output([word, counts.get(word)!])
        },
      }
    },
    { parallelism },
  )

test("every processor's outputs are seen, those of the last one too", async t => {
  const run = await runDag(graph(lines().to(split()).to(count())), {
    inputs: { lines: ['to be', 'or not to be'] },
  })
  t.deepEqual(run.outputs('lines'), ['to be', 'or not to be'])
  t.deepEqual(run.outputs('split'), ['to', 'be', 'or', 'not', 'to', 'be'])
  t.deepEqual(run.outputs('count').at(-1), ['be', 2])
  t.deepEqual(run.done('lines'), [0, 1])
  t.is(run.figures.acked, 2)
})

test('a failed input is told with its id and its error', async t => {
  const run = await runDag(graph(lines().to(split())), { inputs: { lines: ['a', 'bad', 'b'] } })
  t.deepEqual(run.failed('lines'), [1])
  t.deepEqual(
    run.errors('split').map(error => error.message),
    ['a bad line'],
  )
})

test('over three executors with loss and a crash nothing is missing when the source replays', async t => {
  const words = Array.from({ length: 300 }, (_, i) => `w${i % 17}`)
  const run = await runDag(
    graph(
      lines(2)
        .to(split(3), shuffle())
        .to(
          count(3),
          groupBy(word => word),
        ),
    ),
    {
      inputs: { lines: words },
      replay: true,
      executors: 3,
      seed: 5,
      faults: { loss: 0.05, delayMsMax: 3 },
      withinMs: 200_000,
      during: async simulation => {
        await simulation.advance(5)
        simulation.crash(2)
      },
    },
  )
  t.is(run.done('lines').length, 300)
  t.is(new Set(run.done('lines')).size, 300)
  t.true(run.failed('lines').length > 0)
  const { emitted, acked, failed, pending, lost } = run.figures
  t.is(emitted, acked + failed + pending + lost)
})

test('an unknown name is refused with the nearest one', async t => {
  const error = await t.throwsAsync(runDag(graph(lines().to(split())), { inputs: { line: ['x'] } }))
  t.regex((error as Error & { hint?: string }).hint ?? '', /lines/)
})

test('a DAG that does not come to its end is told of with what is open', async t => {
  const stuck = processor<unknown, never>('stuck', () => ({
    onNext: () => new Promise<void>(() => undefined),
  }))
  const numbers = source('numbers', () => ({ next: () => 'end' as const }))
  const error = await t.throwsAsync(
    runDag(graph(numbers.to(stuck)), { inputs: { numbers: [1, 2] }, withinMs: 500 }),
  )
  t.is(
    error!.message,
    'the DAG has not come to its end within 500 virtual ms: 2 at numbers, 2 at stuck',
  )
})
