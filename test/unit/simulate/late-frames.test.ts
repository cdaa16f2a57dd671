// Found by simulated worlds whose links double and reorder frames.
import test from 'ava'
import { SlotLedger } from '../../../src/progress/slot-ledger.ts'
import { Credits } from '../../../src/task/credits.ts'
import { Inlet } from '../../../src/task/inlet.ts'
import type { Outbox } from '../../../src/task/outbox.ts'
import type { RunnerHost } from '../../../src/task/runner-host.ts'
import type { DataFrame } from '../../../src/transport/frame.ts'

function inlet() {
  const got: unknown[] = []
  let refused = 0
  const ignore = () => undefined
  const host = {
    ledger: new SlotLedger({ rootsDone: ignore, rootFailed: ignore, renewRoot: ignore }),
    loop: { wake: ignore },
  } as unknown as RunnerHost
  const back = { connected: true, sendControl: () => refused++ } as unknown as Outbox
  const task = { arrive: (value: unknown) => got.push(value) }
  const tasks = { task: () => task as never, ofEdge: () => [], misdirected: ignore }
  return {
    inlet: new Inlet(host, tasks, new Credits(8), back),
    got,
    refused: () => refused,
  }
}

function frame(counter: number, number: number, value: string): DataFrame {
  const ids = (id: number) => Int32Array.of(id)
  return {
    kind: 2,
    session: { executor: 7, counter },
    number,
    epoch: 0,
    firstPosition: number,
    count: 1,
    targets: ids(1),
    edges: ids(0),
    sources: ids(2),
    tracked: 'all',
    stamps: undefined,
    values: [value],
  }
}

test('the first frame of a former session, come late or once more, opens no session and stops none', t => {
  const { inlet: in_, got, refused } = inlet()
  in_.data(frame(0, 0, 'a'))
  in_.data(frame(1, 0, 'b'))
  in_.data(frame(0, 0, 'a'))
  in_.data(frame(1, 1, 'c'))
  t.deepEqual(got, ['a', 'b', 'c'])
  t.is(refused(), 1)
})

test('the first frame of a session that was closed opens it no second time', t => {
  const { inlet: in_, got, refused } = inlet()
  in_.data(frame(4, 0, 'a'))
  in_.close()
  in_.data(frame(4, 0, 'a'))
  t.is(refused(), 1)
  in_.data(frame(5, 0, 'b'))
  t.deepEqual(got, ['a', 'b'])
})
