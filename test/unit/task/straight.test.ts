// A task at rest is called in the turn of whoever emits to it (ADR 11): what that may not change.
import test from 'ava'
import { application, type Dag, graph, type Hold, processor, source, type Task } from 'gearpump'
import type { TaskSpiContext } from 'gearpump/spi'
import { simulate } from 'gearpump/testing'

const COUNT = 10

type Maker = () => Task<number, number>

// Emits 0 to 9, each with itself as its id, and writes down what it does and hears.
function numbers(log: string[]) {
  let next = 0
  return source<number>('numbers', () => ({
    next(out) {
      if (next === COUNT) return 'end'
      const n = next++
      log.push(`emit ${n}`)
      out.output(n, n)
      log.push(`emitted ${n}`)
      return true
    },
    done: id => void log.push(`done ${id}`),
    fail: id => void log.push(`fail ${id}`),
  }))
}

const chain = (log: string[], ...makers: readonly Maker[]): Dag => {
  const steps = makers.map((make, i) => processor<number, number>(`step${i}`, make))
  return graph(numbers(log).to(steps[0]!), ...steps.slice(1).map((step, i) => steps[i]!.to(step)))
}

const passing =
  (log: string[], name: string): Maker =>
  () => ({
    onNext(n, context) {
      log.push(`${name} ${n}`)
      context.output(n)
    },
  })

async function run(dag: Dag) {
  const simulation = await simulate(application('straight', dag), { seed: 3 })
  await simulation.advance(1000)
  return simulation
}

const endsOf = (log: readonly string[]) => log.filter(line => /^(done|fail)/.test(line))
const each = (word: string) => Array.from({ length: COUNT }, (_, n) => `${word} ${n}`)

test('a message is at the sink before the next one is emitted, and its source hears of it later', async t => {
  const log: string[] = []
  const simulation = await run(chain(log, passing(log, 'a'), passing(log, 'b')))
  const from = log.indexOf('emit 0')
  t.deepEqual(log.slice(from, from + 5), ['emit 0', 'a 0', 'b 0', 'emitted 0', 'emit 1'])
  t.deepEqual(endsOf(log), each('done'))
  await simulation.close()
})

test('a task that waits for a promise gets what comes meanwhile afterwards, in order', async t => {
  const log: string[] = []
  const gate: { open?: () => void } = {}
  const parks: Maker = () => ({
    onNext(n) {
      log.push(`got ${n}`)
      if (n !== 3) return undefined
      return new Promise<void>(resolve => {
        gate.open = resolve
      })
    },
  })
  const simulation = await run(chain(log, parks))
  t.is(log.filter(line => line.startsWith('got')).at(-1), 'got 3')
  t.deepEqual(endsOf(log), ['done 0', 'done 1', 'done 2'])
  gate.open!()
  await simulation.advance(10)
  t.deepEqual(
    log.filter(line => line.startsWith('got')),
    each('got'),
  )
  t.deepEqual(endsOf(log), each('done'))
  await simulation.close()
})

test('what is held ends when it is let go; what throws fails, once, and what was emitted before that goes on', async t => {
  const log: string[] = []
  const holds: Hold[] = []
  const first: Maker = () => ({
    onNext(n, context) {
      context.output(n)
      if (n === 2) holds.push(context.hold())
      if (n === 4) throw new Error('simulated')
    },
  })
  const simulation = await run(chain(log, first, passing(log, 'sink')))
  t.deepEqual(
    log.filter(line => line.startsWith('sink')),
    each('sink'),
  )
  t.deepEqual(endsOf(log).sort(), [
    'done 0',
    'done 1',
    'done 3',
    ...each('done').slice(5),
    'fail 4',
  ])
  holds[0]!.release()
  await simulation.advance(10)
  t.is(endsOf(log).at(-1), 'done 2')
  t.is(endsOf(log).length, COUNT)
  await simulation.close()
})

test('a hold that is let go in the middle of its own emit ends nothing that is still at work', async t => {
  const log: string[] = []
  const holds: Hold[] = []
  const first: Maker = () => ({
    onNext(n, given) {
      const context = given as unknown as TaskSpiContext
      const hold = context.hold()
      // Later, when the source's emit is over.
      context.scheduleOnce(1, () => {
        holds.push(hold)
        context.emitAnchored(context.outlet('default')!, n, [hold])
      })
    },
  })
  const second: Maker = () => ({
    onNext(n, context) {
      holds.pop()!.release()
      // A root that ended there would be another's by now.
      context.output(n)
      if (n === 5) throw new Error('simulated')
    },
  })
  const simulation = await run(chain(log, first, second, passing(log, 'sink')))
  t.deepEqual(
    endsOf(log).sort(),
    [...each('done').filter(line => line !== 'done 5'), 'fail 5'].sort(),
  )
  await simulation.close()
})

test('a chain longer than any stack passes everything', async t => {
  const log: string[] = []
  const dag = chain(log, ...Array.from({ length: 3000 }, () => passing([], '')))
  const simulation = await run(dag)
  t.deepEqual(endsOf(log), each('done'))
  await simulation.close()
})

test('time at work is that of the task which worked, not of the source in whose turn it did', async t => {
  const messages = 64_000
  // One message in so many is work: few enough that the others are handled straight.
  const each = 16
  // Each look at the virtual clock takes its time: that is the work.
  let look: (() => void) | undefined
  const works: Maker = () => ({
    onNext(n) {
      if (n % each === 0) look?.()
    },
  })
  let left = messages
  const busy = source<number>('numbers', () => ({
    next(out) {
      if (left-- === 0) return 'end'
      out.output(left, left)
      return true
    },
  }))
  const dag = graph(busy.to(processor('works', works)))
  const simulation = await simulate(application('busy', dag), { seed: 3 })
  const { environment } = simulation
  const beforeMs = environment.monotonicMs()
  const workMs = (messages / each) * (environment.monotonicMs() - beforeMs)
  look = () => void environment.monotonicMs()
  await simulation.drained()
  const { components } = await simulation.figures()
  const worked = components.works!.busyMs
  // The engine's own looks at this clock cost time too.
  t.true(worked > workMs / 2 && worked < workMs * 1.5, `${worked} ms of ${workMs}`)
  t.true(components.numbers!.busyMs < worked / 10, `${components.numbers!.busyMs} ms`)
  await simulation.close()
})
