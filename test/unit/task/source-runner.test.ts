// What a source may rely on: when it is asked, when it is told, and that it is never asked in vain for long.

import test from 'ava'
import fc from 'fast-check'
import type { Source, SourceContext } from 'gearpump'
import { testSource } from 'gearpump/testing'
import { Endless, Numbers } from './_actors.ts'
import '../seed.ts'

test("done and fail are told on the source's own turn, never inside an emit", async t => {
  let emitting = false
  const told: unknown[] = []
  const source = await testSource(
    {
      next: out => {
        emitting = true
        // At most once: done as soon as it is emitted.
        out.output('x', 1)
        emitting = false
        return 'end'
      },
      done: id => {
        t.false(emitting)
        told.push(id)
      },
    },
    { profile: { guarantee: 'at-most-once' } },
  )
  source.pull()
  t.deepEqual(told, [1])
})

test('a source with nothing to say is asked a few times a second, not without end', async t => {
  const numbers = new Numbers(0, { ends: false })
  const source = await testSource(numbers)
  await source.advance(10_000)
  t.true(source.calls > 100 && source.calls < 250, `${source.calls} calls in 10 s`)
})

test('wake asks at once, and again from the short wait', async t => {
  const source = await testSource(new Numbers(0, { ends: false }))
  await source.advance(5000)
  const before = source.calls
  source.context.wake()
  source.pull()
  t.is(source.calls, before + 1)
  await source.advance(10)
  t.true(source.calls > before + 5)
})

test('a source that has ended is not asked again', async t => {
  const source = await testSource(new Numbers(3))
  source.pull()
  source.done()
  await source.advance(1000)
  t.true(source.ended)
  const calls = source.calls
  await source.advance(10_000)
  t.is(source.calls, calls)
})

test('a source that has ended is asked again when one of its messages fails', async t => {
  const queue = [1, 2]
  const source = await testSource({
    next: (out: SourceContext<number>) => {
      const value = queue.shift()
      if (value === undefined) return 'end'
      out.output(value, value)
      return true
    },
    fail: id => void queue.push(id as number),
  })
  source.pull()
  t.true(source.ended)
  source.fail(1)
  t.deepEqual(
    source.pull().map(output => output.value),
    [1],
  )
  t.true(source.ended)
})

test('a failed message is emitted again at once, though the source was asleep', async t => {
  const source = await testSource(new Numbers(1, { ends: false }))
  source.pull()
  await source.advance(5000)
  const before = source.environment.now()
  source.fail(0)
  t.is(source.pull().length, 1)
  t.true(source.environment.now() - before < 1)
})

test('a promise from next parks the source: it is not asked twice at a time', async t => {
  let open = 0
  let most = 0
  const source = await testSource({
    next: async (out: SourceContext<number>) => {
      most = Math.max(most, ++open)
      await new Promise<void>(resolve => void out.scheduleOnce(1, resolve)).catch(() => undefined)
      open--
      return true
    },
  })
  // A timer on its own turn cannot fire while it is parked: so resolve from outside.
  await source.advance(100)
  t.is(most, 1)
  t.is(source.calls, 1)
})

test('a wake while next is pending is not lost', async t => {
  const answers: ((answer: boolean) => void)[] = []
  const source = await testSource({
    next: () => new Promise<boolean>(resolve => void answers.push(resolve)),
  })
  for (let i = 0; i < 40; i++) {
    source.pull()
    answers.at(-1)!(false)
    await source.advance(100)
  }
  const before = source.calls
  source.context.wake()
  answers.at(-1)!(false)
  const at = source.environment.now()
  await source.advance(0.5)
  t.is(source.calls, before + 1)
  t.true(source.environment.now() - at < 1)
})

test('a source that throws is reported and asked again later, one that returns nothing too', async t => {
  let calls = 0
  const source = await testSource({
    next: (): boolean => {
      calls++
      if (calls === 1) throw new Error('first')
      return undefined as unknown as boolean
    },
  })
  await source.advance(100)
  t.true(calls > 3)
  t.deepEqual(
    source.errors.map(error => error.message),
    ['first'],
  )
})

test('a rejected done is reported and stops nothing', async t => {
  const numbers = new Endless()
  const source = await testSource(
    {
      next: (out: SourceContext<number>) => numbers.next(out),
      done: () => Promise.reject(new Error('no store')),
    },
    { profile: { maxOpenRoots: 2 } },
  )
  source.pull()
  source.done()
  await source.advance(1)
  t.is(source.emitted.length, 4)
  t.is(source.errors.length, 2)
})

test('an emit that throws fails its root: nothing is told done that was not delivered', async t => {
  const { application, graph, processor, source, unicast } = await import('gearpump')
  const { simulate } = await import('gearpump/testing')
  const told: string[] = []
  const bad: Source<number> = {
    next: out => {
      if (told.length > 0) return 'end'
      try {
        out.output(1, 'id')
      } catch {
        told.push('thrown')
      }
      return 'end'
    },
    done: id => void told.push(`done ${id}`),
    fail: id => void told.push(`fail ${id}`),
  }
  const app = application(
    'thrown',
    graph(
      source('bad', () => bad).to(
        processor<number, never>('sink', () => ({ onNext: () => undefined })),
        unicast(() => () => 99),
      ),
    ),
  )
  const run = await simulate(app)
  await run.drained()
  t.deepEqual(told, ['thrown', 'fail id'])
  await run.close()
})

test('every root ends once, between one and two time-outs if nobody ends it', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.integer({ min: 1, max: 900 }), fc.constantFrom('done', 'fail', 'none')),
        {
          maxLength: 12,
        },
      ),
      async steps => {
        const emittedAt = new Map<number, number>()
        const ended = new Map<number, [string, number]>()
        let wanted = 0
        let next = 0
        const now = () => source.environment.now()
        const end = (how: string) => (id: unknown) => {
          t.false(ended.has(id as number), 'ends once')
          ended.set(id as number, [how, now()])
        }
        const source = await testSource(
          {
            next: (out: SourceContext<number>) => {
              if (next === wanted) return false
              emittedAt.set(next, now())
              out.output(next, next)
              next++
              return true
            },
            done: end('done'),
            fail: end('fail'),
          },
          { profile: { timeoutMs: 1000 } },
        )
        for (const [wait, what] of steps) {
          wanted++
          source.context.wake()
          source.pull()
          await source.advance(wait)
          if (what !== 'none' && source.open.includes(wanted - 1)) source[what](wanted - 1)
        }
        await source.advance(2100)
        t.is(ended.size, wanted)
        for (const [id, [how, at]] of ended) {
          const wished = steps[id]![1]
          const age = at - emittedAt.get(id)!
          if (wished !== 'none') t.is(how, wished)
          else t.true(how === 'fail' && age >= 1000 && age <= 2002, `${how} after ${age}`)
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('orphaned roots are told to nobody and count as lost', async t => {
  const numbers = new Numbers(4)
  const source = await testSource(numbers)
  source.pull()
  source.done(0)
  source.context.orphanAll()
  source.pull()
  await source.advance(100_000)
  t.deepEqual(numbers.done_, [0])
  t.deepEqual(numbers.failed, [])
})

test('onActive is told, and a call that makes a call does not stop the source', async t => {
  const told: boolean[] = []
  const numbers = new Numbers(3)
  const source = await testSource({
    next: (out: SourceContext<number>) => numbers.next(out),
    onActive: active => void told.push(active),
  })
  let calls = 0
  const again = () => {
    if (++calls < 5000) source.context.call(again)
  }
  source.context.call(again)
  await source.advance(1)
  t.is(source.emitted.length, 3)
  source.setActive(false)
  source.setActive(true)
  t.deepEqual(told, [false, true])
})

test('done and fail of plain JavaScript may return anything', async t => {
  const source = await testSource({
    next: out => {
      out.output('x', 1)
      return 'end'
    },
    done: () => null as never,
    fail: () => 0 as never,
  })
  source.pull()
  source.done()
  await source.advance(1)
  t.deepEqual(source.errors, [])
})

test('a timer without a time or a function is refused where it is asked for', async t => {
  const source = await testSource(new Numbers(0))
  const { context } = source
  for (const [ms, fn] of [
    [Number.NaN, () => 1],
    [-1, () => 1],
    [() => 1, 1000],
    [5, undefined],
  ]) {
    const error = t.throws(() => context.schedule(ms as number, fn as () => void))
    t.regex(error!.message, /tested\[0\] cannot be called back by schedule\(/)
    t.throws(() => context.scheduleOnce(ms as number, fn as () => void))
  }
})

test('a position that would come back as something else is refused', async t => {
  let position: unknown
  const source = await testSource({ next: () => false, position: () => position })
  const refused = [new Map(), { seen: new Set([1]) }, Promise.resolve(1), [Number.NaN], 1n]
  for (position of refused) t.throws(() => source.position())
  for (position of [{ at: 1, runs: [[2, 3]] }, 0, null, 'x'])
    t.deepEqual(source.position(), position)
  position = undefined
  t.is(source.position(), undefined)
})
