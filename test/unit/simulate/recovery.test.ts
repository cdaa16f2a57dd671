// How long the sink of an application may be silent after a fault, or several at once, measured in simulated clusters with
// the settings' own times: 3 s of lease, 5 s of silence before somebody is given up.
import test from 'ava'
import {
  chaosFaults,
  longestSilence,
  planned,
  RECOVERIES,
} from '../../simulate/cluster/recovery.ts'

const FIRST = 1
const WORLDS = 1

/** What is known at once: a process is started, or nothing has to be. */
const AT_ONCE_MS = 2000
/** Somebody is found silent: `timeouts.unreachableMs` and two pings. */
const SILENT_MS = 8000
/** A leader is elected. */
const ELECTED_MS = 6000
/** A leader is elected, and then somebody is found silent. */
const ALL_MS = 11_000

const BOUNDS: Readonly<Record<string, number>> = {
  'an executor is killed': AT_ONCE_MS,
  'the app master is killed': AT_ONCE_MS,
  'the leader is killed': AT_ONCE_MS,
  'the leader is stopped': AT_ONCE_MS,
  'the app master is stopped': AT_ONCE_MS,
  'a worker is stopped': AT_ONCE_MS,
  'a worker is killed and comes back': AT_ONCE_MS,
  'an executor is stopped': SILENT_MS,
  'a worker is killed for ever': SILENT_MS,
  'a host loses power': SILENT_MS,
  'the host of the app master loses power': SILENT_MS,
  'a worker is cut off': SILENT_MS,
  'the worker of the app master is cut off': SILENT_MS,
  'app master and executor': AT_ONCE_MS,
  'an executor whose app master was replaced': AT_ONCE_MS,
  'the app master three times, then an executor': AT_ONCE_MS,
  'an executor five times': AT_ONCE_MS,
  'leader and executor': ELECTED_MS,
  'leader stopped and executor killed': ELECTED_MS,
  'leader and app master': ELECTED_MS,
  'leader, app master and executor': ELECTED_MS,
  'leader stopped, app master and executor killed': ELECTED_MS,
  'leader and the worker of the app master': ELECTED_MS,
  'leader and the host of the app master': ALL_MS,
}

for (const [name, faults] of Object.entries(RECOVERIES)) {
  test.serial(`the sink goes on in time: ${name}`, async t => {
    const silenceMs = await longestSilence(planned(faults), { first: FIRST, worlds: WORLDS })
    t.true(silenceMs <= BOUNDS[name]!, `${silenceMs} ms, at most ${BOUNDS[name]} ms`)
  })
}

test.serial('the sink goes on in time: two minutes of chaos, faults upon faults', async t => {
  const forMs = 120_000
  const change = planned(chaosFaults(4, forMs), { activeMs: forMs + 20_000 })
  const silenceMs = await longestSilence(change, { first: 4, worlds: 1 })
  t.true(silenceMs <= 15_000, `${silenceMs} ms`)
})
