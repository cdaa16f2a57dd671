// What goes to one other executor: sessions, links that replace one another, credit that is never lost.

import test from 'ava'
import { application, broadcast, graph, processor, source, type Task } from 'gearpump'
import { ManualEnvironment, simulate } from 'gearpump/testing'
import { SlotLedger } from '../../../src/progress/slot-ledger.ts'
import { CycleGuard } from '../../../src/task/flow.ts'
import { Outbox } from '../../../src/task/outbox.ts'
import { balanced } from '../../../src/task/profile.ts'
import { RunLoop } from '../../../src/task/run-loop.ts'
import type { RunnerHost } from '../../../src/task/runner-host.ts'
import type { Link } from '../../../src/transport/link.ts'
import { Serialisers } from '../../../src/transport/serialisers.ts'
import { Endless, Numbers } from './_actors.ts'

function hostOf(events: string[] = []): RunnerHost {
  const environment = new ManualEnvironment()
  return {
    environment,
    loop: new RunLoop(environment, () => undefined),
    ledger: new SlotLedger({
      rootsDone: (_, ordinals) => void events.push(`done ${ordinals[0]}`),
      rootFailed: (_, ordinal) => void events.push(`fail ${ordinal}`),
      renewRoot: () => undefined,
    }),
    profile: balanced,
    cycleGuard: new CycleGuard(() => undefined),
    executorId: 1,
    appClockUs: 0,
    report: () => undefined,
    log: () => undefined,
    metric: () => undefined,
    consumed: () => undefined,
  }
}

class FakeLink implements Link {
  readonly frames: Buffer[] = []
  readonly bufferedBytes = 0
  readonly peer = 'test'
  closed = false

  send(frame: Buffer): void {
    this.frames.push(frame)
  }

  close(): void {
    this.closed = true
  }
}

test('frames wait for a link, and leave when it is up', t => {
  const outbox = new Outbox(hostOf(), 2, new Serialisers([]))
  outbox.append(5, 0, 1, 'value', 0)
  outbox.flush()
  const link = new FakeLink()
  outbox.attach(link)
  t.is(link.frames.length, 1)
})

test('a link that replaces another ends it, and what the old one carried has failed', t => {
  const events: string[] = []
  const host = hostOf(events)
  const outbox = new Outbox(host, 2, new Serialisers([]))
  const [old, fresh] = [new FakeLink(), new FakeLink()]
  outbox.attach(old)
  const slot = host.ledger.root(0, 7)
  outbox.append(5, 0, 1, 'value', slot)
  host.ledger.release(slot)
  outbox.flush()
  outbox.attach(fresh)
  t.true(old.closed)
  t.deepEqual(events, ['fail 7'])
  t.is(outbox.session.counter, 1)
  t.false(outbox.detach(old), 'the end of the old link, heard late, changes nothing')
  t.true(outbox.connected)
  outbox.append(5, 0, 1, 'value', 0)
  outbox.flush()
  t.is(fresh.frames.length, 1)
  t.true(outbox.detach(fresh))
  t.false(outbox.connected)
})

test('a value that cannot be sent fails its input and uses up no credit', async t => {
  const got: unknown[] = []
  const app = application(
    'unsent',
    graph(
      source('numbers', () => new Numbers(0, { ends: false })).to(
        processor<number, unknown>('none', () => ({ onNext: () => undefined })),
      ),
      source('values', () => {
        const numbers = new Endless()
        return {
          next: out => {
            const n = numbers.emitted++
            try {
              out.output(n % 2 === 0 ? () => n : n, n)
            } catch {
              return true
            }
            return n < 400 ? true : 'end'
          },
        }
      }).to(
        processor<unknown, never>(
          'sink',
          (): Task<unknown> => ({ onNext: value => void got.push(value) }),
          { parallelism: 4 },
        ),
        broadcast(),
      ),
    ),
    { profile: { creditWindow: 16, inboxDepth: 16 } },
  )
  const run = await simulate(app, { executors: 2 })
  await run.drained()
  const { acked, failed, emitted } = await run.figures()
  t.is(emitted, 402)
  t.is(acked, 201)
  t.is(failed, 201)
  t.is(got.filter(value => typeof value === 'number').length, 201 * 4)
  await run.close()
})
