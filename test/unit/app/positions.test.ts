// Where a source stands is kept by the engine: when it is asked, what is kept, and what one that is opened again is given.
import test from 'ava'
import { application, graph, processor, type Source, type SourceContext, source } from 'gearpump'
import { ManualEnvironment, simulate, testSource } from 'gearpump/testing'
import { AppMaster } from '../../../src/app/app-master.ts'
import type { ExecutorEvents } from '../../../src/app/executor.ts'
import type { Launcher } from '../../../src/app/launcher.ts'
import { localLauncher } from '../../../src/app/local-launcher.ts'
import { noLog } from '../../../src/base/log.ts'
import { Sink } from '../task/_actors.ts'

/** Counts up, one each two ms; its position is the lowest number that is not done. */
class Counter implements Source<number> {
  readonly opened: unknown[] = []
  asked = 0
  emitted = 0
  #next = 0
  readonly #ahead = new Set<number>()
  #through = 0
  readonly #count: number

  constructor(count = Number.POSITIVE_INFINITY) {
    this.#count = count
  }

  open(context: SourceContext<number>): void {
    this.opened.push(context.position)
    this.#next = this.#through = (context.position as { through: number } | undefined)?.through ?? 0
    this.#ahead.clear()
    context.schedule(2, () => context.wake())
  }

  next(out: SourceContext<number>): boolean {
    if (this.#next >= this.#count) return false
    this.emitted++
    out.output(this.#next, this.#next++)
    return false
  }

  done(id: unknown): void {
    this.#ahead.add(id as number)
    while (this.#ahead.delete(this.#through)) this.#through++
  }

  position(): unknown {
    this.asked++
    return { through: this.#through }
  }
}

const app = (made: Source<number>, got: number[] = []) =>
  application(
    'positions',
    graph(source('counter', () => made).to(processor('sink', () => new Sink(got)))),
    { profile: { maxOpenRoots: 100 } },
  )

test('a source whose executor dies is opened again where it stood: nothing is missing, little comes twice', async t => {
  const got: number[] = []
  const counter = new Counter()
  const run = await simulate(app(counter, got), { executors: 2, faults: { delayMsMax: 2 } })
  await run.advance(5500)
  const before = counter.emitted
  run.crash(1)
  await run.environment.until(() => counter.opened.length === 2)
  const { through } = counter.opened[1] as { through: number }
  t.true(through > before / 2, `${through} of ${before}`)
  await run.advance(5000)
  const highest = Math.max(...got)
  t.is(new Set(got).size, highest + 1)
  t.true(got.length - highest <= before - through + 1)
  await run.close()
})

test('a position is asked for once a second while the source does something, and not while it does nothing', async t => {
  const counter = new Counter(2000)
  const run = await simulate(app(counter))
  await run.environment.until(() => counter.emitted === 2000)
  const seconds = run.environment.now() / 1000
  t.true(counter.asked >= Math.floor(seconds / 1.2) && counter.asked <= Math.ceil(seconds) + 1)
  await run.advance(5000)
  const { asked } = counter
  await run.advance(20_000)
  t.is(counter.asked, asked)
  await run.close()
})

async function started(made: Source<number>, initial?: ReadonlyMap<number, unknown>) {
  const environment = new ManualEnvironment()
  const stored: ReadonlyMap<number, unknown>[] = []
  const errors: Error[] = []
  const events: ExecutorEvents[] = []
  const application = app(made)
  const local = localLauncher({ environment, application })
  const ends: (() => void)[] = []
  const launcher: Launcher = {
    launch: async (id, token, toMaster) => {
      events.push(toMaster)
      const error = (_task: number, _name: string, thrown: Error) => void errors.push(thrown)
      const launched = await local.launch(id, token, { ...toMaster, error })
      const ended = new Promise<string>(resolve => ends.push(() => resolve('lost')))
      return { ...launched, ended: Promise.race([launched.ended, ended]) }
    },
  }
  const master = new AppMaster({
    environment,
    application,
    executors: 1,
    log: noLog,
    launcher,
    ...(initial === undefined ? {} : { positions: initial }),
    onPositions: positions => void stored.push(positions),
  })
  await environment.awaiting(master.start())
  return { environment, master, stored, errors, events, ends }
}

test('a position of an earlier run is where the source begins; those told are stored, the last one at the end', async t => {
  const counter = new Counter(700)
  const run = await started(counter, new Map([[1, { through: 500 }]]))
  t.deepEqual(counter.opened, [{ through: 500 }])
  await run.environment.advance(50)
  t.deepEqual(run.stored, [])
  await run.environment.awaiting(run.master.close())
  t.is(run.stored.length, 1)
  const { through } = run.stored[0]!.get(1) as { through: number }
  t.true(through > 500 && through <= 500 + counter.emitted)
})

test('a position that stays the same is told once', async t => {
  let id = 0
  const run = await started({
    next: (out: SourceContext<number>) => {
      out.output(id, id++)
      return false
    },
    position: () => ({ fixed: 1 }),
  })
  await run.environment.advance(10_000)
  await run.environment.awaiting(run.master.close())
  t.deepEqual(run.stored, [new Map([[1, { fixed: 1 }]])])
})

test('what an executor tells after it was replaced is not kept', async t => {
  const counter = new Counter(0)
  const run = await started(counter)
  run.ends[0]!()
  await run.environment.until(() => counter.opened.length === 2)
  run.events[0]!.positions(new Map([[1, { through: 99 }]]))
  t.deepEqual(run.stored, [])
  run.events[1]!.positions(new Map([[1, { through: 7 }]]))
  run.ends[1]!()
  await run.environment.until(() => counter.opened.length === 3)
  t.deepEqual(counter.opened[2], { through: 7 })
  await run.environment.awaiting(run.master.close())
})

test('what a source does to its position later does not reach what is kept', async t => {
  const position = { list: [1] }
  let id = 0
  const run = await started({
    next: (out: SourceContext<number>) => {
      out.output(id, id++)
      return false
    },
    position: () => position,
  })
  await run.environment.advance(500)
  position.list.push(2)
  t.deepEqual(run.stored[0]!.get(1), { list: [1] })
  await run.environment.awaiting(run.master.close())
  t.deepEqual(run.stored.at(-1)!.get(1), { list: [1, 2] })
})

test('a position that is no plain data is reported, and the source goes on', async t => {
  let id = 0
  const run = await started({
    next: (out: SourceContext<number>) => {
      out.output(id, id++)
      return false
    },
    position: () => ({ offset: 10n }),
  })
  await run.environment.advance(3000)
  const emitted = id
  t.regex(run.errors[0]!.message, /position\(\).*BigInt/)
  t.true(run.errors.length <= 4)
  await run.environment.advance(100)
  t.true(id > emitted)
  await run.environment.awaiting(run.master.close())
})

test('the kit opens a source at a position and tells where it stands', async t => {
  const source = await testSource(new Counter(), { position: { through: 5 } })
  await source.advance(3)
  t.is(source.outputs()[0], 5)
  source.done(5)
  t.deepEqual(source.position(), { through: 6 })
  await source.stop()
})
