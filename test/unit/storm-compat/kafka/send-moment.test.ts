// When waiting records leave: alone, in a slow stream, in a fast one, and as the user says.
import test from 'ava'
import {
  ENOUGH_RECORDS,
  FIRST_LOOK_MS,
  SendMoment,
  WAIT_MAX_MS,
} from '../../../../storm-compat/kafka/send-moment.ts'
import { ManualClock } from '../../../../storm-compat/multilang/fake-child.ts'

function rig(lingerMs?: number) {
  const clock = new ManualClock()
  const departures: number[] = []
  const moment = new SendMoment(lingerMs, clock, () => departures.push(clock.nowMs()))
  const add = () => {
    const nowMs = clock.nowMs()
    moment.arrived(nowMs)
    moment.due(1, { nowMs, sinceMs: nowMs })
  }
  /** One record after the other, so often. */
  const stream = (count: number, everyMs: number) => {
    for (let at = 0; at < count; at++) {
      add()
      clock.advance(everyMs)
    }
  }
  return { clock, departures, moment, add, stream }
}

test('a lone record leaves at the first look, and so do several of one turn', t => {
  const { clock, departures, add } = rig()
  add()
  clock.advance(100)
  add()
  add()
  add()
  clock.advance(100)
  t.deepEqual(departures, [FIRST_LOOK_MS, 100 + FIRST_LOOK_MS])
})

test('a stream leaves in few departures, none of its records waits longer than is said', t => {
  const { clock, departures, stream } = rig()
  stream(200, 0.5)
  clock.advance(WAIT_MAX_MS)
  const waits = Array.from({ length: 200 }, (_, at) => {
    const cameMs = at * 0.5
    return departures.find(leftMs => leftMs >= cameMs)! - cameMs
  })
  // A look may come so much later than the end.
  t.true(Math.max(...waits) <= WAIT_MAX_MS + 2, `${Math.max(...waits)} ms`)
  t.true(departures.length <= 11, `${departures.length} departures in 100 ms`)
})

test('when a stream stops, what has come leaves soon', t => {
  const { clock, departures, stream } = rig()
  stream(4, 0.5)
  clock.advance(100)
  t.is(departures.length, 1)
  t.true(departures[0]! <= 5, `left at ${departures[0]} ms`)
})

test('of a fast stream nothing waits for a timer', t => {
  const { departures, stream } = rig()
  stream(10 * ENOUGH_RECORDS, 0.001)
  t.is(departures.length, 10)
})

test('what waited for an answer leaves with it, unless others keep coming', t => {
  const { clock, departures, moment } = rig()
  moment.arrived(0)
  clock.advance(5)
  moment.due(1, { nowMs: 5, sinceMs: 0 })
  t.deepEqual(departures, [5])
  moment.arrived(5)
  clock.advance(0.5)
  moment.due(1, { nowMs: 5.5, sinceMs: 5 })
  t.deepEqual(departures, [5])
  clock.advance(FIRST_LOOK_MS)
  t.deepEqual(departures, [5, 6.5])
})

test('linger.ms is kept whatever comes, counted from the first record', t => {
  const { clock, departures, add, stream, moment } = rig(20)
  stream(2 * ENOUGH_RECORDS, 0.01)
  clock.advance(100)
  t.deepEqual(departures, [20])
  add()
  clock.advance(100)
  t.is(departures.length, 2)
  moment.due(1, { nowMs: clock.nowMs(), sinceMs: clock.nowMs() - 15 })
  clock.advance(5)
  t.deepEqual(departures.at(-1), clock.nowMs())
})

test('linger.ms 0 waits for nobody', t => {
  const { clock, departures, add, moment } = rig(0)
  add()
  add()
  clock.advance(0)
  t.deepEqual(departures, [0])
  moment.due(3, { nowMs: 0.4, sinceMs: 0.1 })
  t.is(departures.length, 2)
})
