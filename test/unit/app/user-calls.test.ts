// User code that a start, an end, or a source's next message waits for, and that takes very long: it is named.
import test from 'ava'
import { application, graph, processor, type SourceContext, source } from 'gearpump'
import { ManualEnvironment, simulate } from 'gearpump/testing'
import type { LogLine } from '../../../src/base/log.ts'

function linesOf() {
  const lines: string[] = []
  return {
    lines,
    log: { write: ({ where, text }: LogLine) => void lines.push(`${where} ${text}`) },
  }
}

test('what a start or an end waits for is named after 5 s', async t => {
  const { lines, log } = linesOf()
  const environment = new ManualEnvironment()
  const after = (delayMs: number) => () =>
    new Promise<void>(resolve => void environment.after(delayMs, resolve))
  const slow = source('slow', () => ({ open: after(6000), next: () => false, close: after(1000) }))
  const task = processor('task', () => ({
    ...{ onStart: after(6000), onNext: () => undefined, onStop: after(6000) },
  }))
  const quick = processor('quick', () => ({
    ...{ onStart: after(4000), onNext: () => undefined, onStop: after(4000) },
  }))
  const app = application('slow', graph(slow.to(task), slow.to(quick)))
  const run = await simulate(app, { environment, log })
  t.deepEqual(lines.splice(0), [
    'task[task 2] onStart has not ended after 5 s',
    'slow[task 1] open has not ended after 5 s',
  ])
  await run.close()
  t.deepEqual(lines, ['task[task 2] onStop has not ended after 5 s'])
})

test('a source that cannot hear how its messages ended, as its promise stays open, is told of once', async t => {
  const { lines, log } = linesOf()
  let emitted = 0
  const waiting = source('waiting', () => ({
    next: (out: SourceContext<number>) => {
      if (emitted === 3) return new Promise<never>(() => undefined)
      out.output(emitted, emitted++)
      return true
    },
  }))
  const deaf = source('deaf', () => {
    let left = 3
    return {
      next: (out: SourceContext<number>) => {
        if (left === 0) return false
        out.output(left, left--)
        return true
      },
      done: () => new Promise<void>(() => undefined),
    }
  })
  const sink = processor<number, never>('sink', () => ({ onNext: () => undefined }))
  const run = await simulate(application('deaf', graph(waiting.to(sink), deaf.to(sink))), { log })
  await run.advance(29_000)
  t.deepEqual(lines, [])
  await run.advance(60_000)
  t.deepEqual(lines.sort(), [
    'deaf[task 2] the promise of done is open for 30 s: the ends of 2 messages wait to be told',
    'waiting[task 1] the promise of next is open for 30 s: the ends of 3 messages wait to be told; return false there, and call wake() when there is more',
  ])
  await run.close()
})

test('a tally that throws is reported, and keeps no run from its end', async t => {
  const { lines, log } = linesOf()
  const refuse = (): never => {
    throw new Error('no count')
  }
  const none = source('none', () => ({ next: () => 'end' as const, tally: refuse }))
  const sink = processor('sink', () => ({ onNext: () => undefined, tally: refuse }))
  const run = await simulate(application('tallies', graph(none.to(sink))), { log })
  await run.drained()
  t.is((await run.figures()).components.sink!.tasks, 1)
  t.true(lines.some(line => line.startsWith('none[task 1] Error: no count')))
  t.true(lines.some(line => line.startsWith('sink[task 2] Error: no count')))
  await run.close()
})
