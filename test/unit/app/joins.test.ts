// Messages anchored to several inputs, of several sources, over several executors.

import test from 'ava'
import {
  application,
  graph,
  groupBy,
  type Hold,
  processor,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import type { TaskSpiContext } from 'gearpump/spi'
import { simulate } from 'gearpump/testing'
import { Numbers } from '../task/_actors.ts'

// Waits for the same number from both sides, then emits it once, anchored to both.
class Pairing implements Task<number, number> {
  readonly #waiting = new Map<string, Hold>()
  readonly needsOrigin = true
  readonly #sourceOf: (task: number) => string

  constructor(sourceOf: (task: number) => string) {
    this.#sourceOf = sourceOf
  }

  onNext(value: number, context: TaskContext<number>): void {
    const side = this.#sourceOf(context.sourceTask)
    const other = `${side === 'left' ? 'right' : 'left'} ${value}`
    const hold = context.hold()
    // The same again after a replay: only the newest waits.
    this.#waiting.get(`${side} ${value}`)?.release()
    const partner = this.#waiting.get(other)
    if (partner === undefined || !partner.open) {
      this.#waiting.set(`${side} ${value}`, hold)
      return
    }
    this.#waiting.delete(other)
    const spi = context as unknown as TaskSpiContext
    spi.emitAnchored(spi.outlet('default')!, value, [partner, hold])
    partner.release()
    hold.release()
  }
}

for (const executors of [1, 3]) {
  test(`a message that fails fails the roots of both sides, and both are replayed, in ${executors} executor(s)`, async t => {
    const [left, right] = [new Numbers(60), new Numbers(60)]
    const tries = new Map<number, number>()
    const seen: number[] = []
    const pair = processor<number, number>(
      'pair',
      () => new Pairing(task => (task === 1 ? 'left' : 'right')),
      {
        parallelism: 3,
      },
    )
    const picky = processor<number, never>(
      'picky',
      (): Task<number> => ({
        onNext: value => {
          tries.set(value, (tries.get(value) ?? 0) + 1)
          if (value % 7 === 0 && tries.get(value) === 1) throw new Error('not the first time')
          seen.push(value)
        },
      }),
      { parallelism: 2 },
    )
    const byValue = () => groupBy<number>(value => value)
    const app = application(
      'join',
      graph(
        source('left', () => left).to(pair, byValue()),
        source('right', () => right).to(pair, byValue()),
        pair.to(picky, shuffle()),
      ),
    )
    const run = await simulate(app, { executors, seed: 9, faults: { delayMsMax: 5 } })
    await run.environment.until(() => left.done_.length === 60 && right.done_.length === 60)
    const odd = Array.from({ length: 9 }, (_, i) => i * 7)
    t.deepEqual(
      [...left.failed].sort((a, b) => a - b),
      odd,
    )
    t.deepEqual(
      [...right.failed].sort((a, b) => a - b),
      odd,
    )
    t.is(new Set(seen).size, 60)
    for (const id of run.executors) t.is(run.unfinished(id), 0)
    await run.close()
  })
}
