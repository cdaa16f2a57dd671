// Bolts and spouts that misbehave, one way per run, beside a component that does not: what is harmless is taken, what is
// not ends in an error that names the component, a new process takes over, nothing hangs and nothing is left behind.
import test, { type ExecutionContext } from 'ava'
import { type FluxRun, runFlux } from './flux-run.ts'

const NUMBERS = Array.from({ length: 60 }, (_, n) => [n])

/** The command line's own process with a topology of five components, measured at 120 MB, and some room. */
const MEMORY_MB = 350

/** Ended by the time-out alone; elsewhere it is far, for the machine may be busy. */
const HANGING = new Set(['truncated', 'hang', 'ignores-sigterm'])

async function run(t: ExecutionContext, mode: string): Promise<FluxRun> {
  const done = await runFlux(t, 'rubbish', {
    given: NUMBERS,
    properties: { mode, replays: 'true', timeout: HANGING.has(mode) ? '3' : '30' },
  })
  assertOthersWentOn(t, done)
  t.is(done.code, 0, done.stderr.slice(-4000))
  t.deepEqual(
    distinct(done, 'bad-seen'),
    NUMBERS.map(([n]) => n),
  )
  t.notRegex(done.stderr, /processes that were left/)
  return done
}

function assertOthersWentOn(t: ExecutionContext, done: FluxRun): void {
  t.notRegex(done.stderr, /component "good"/)
  t.deepEqual(
    done
      .seen('good-seen')
      .map(({ values }) => values[0])
      .sort(ascending),
    NUMBERS.map(([n]) => n),
  )
  t.true(done.ends('others').every(({ end }) => end === 'ack'))
}

function distinct(done: FluxRun, component: string): unknown[] {
  return [...new Set(done.seen(component).map(({ values }) => values[0]))].sort(ascending)
}

const ascending = (a: unknown, b: unknown) => Number(a) - Number(b)

// What is tolerated: the process that did it goes on, and no root fails. `said` is looked for in what the user reads.
const TOLERATED: readonly [mode: string, said: RegExp][] = [
  ['deep', /nested/],
  ['unknown-command', /drained/],
  ['binary', /binary output of 242 bytes/],
  ['prints', /stdout: a print/],
  ['error', /bad.*it went wrong, and I go on/],
  ['metrics', /\{"not":"text"\}/],
  ['floods-stderr', /a line of noise/],
]

for (const [mode, said] of TOLERATED) {
  test(`a bolt that does this is only heard: ${mode}`, async t => {
    const done = await run(t, mode)
    t.notRegex(done.stderr, /SHELL_/)
    t.regex(done.stderr, said)
    t.is(done.figures.failed, 0)
    t.is(done.seen('bad-seen').length, NUMBERS.length)
  })
}

// What ends the process: an error with this in it, and every number comes through its successor.
const ENDED: readonly [mode: string, error: RegExp][] = [
  [
    'truncated',
    /gave no sign of life for 3 s[\s\S]*its output ended within a message: \{"command": "emit"/,
  ],
  [
    'truncated-end',
    /exited with code 0[\s\S]*its output ended within a message: \{"command": "emit"/,
  ],
  ['huge', /sent a line of more than 67108864 bytes, which begins with \{"command": "emit"/],
  ['binary-flood', /sent a line of more than 67108864 bytes, which begins with \\x80\\x81/],
  ['unknown-ack', /sent ack for the tuple no such tuple, which it does not hold/],
  [
    'double-ack',
    /sent ack for the tuple \d+, which it does not hold \(or acked or failed before\)/,
  ],
  [
    'ack-after-fail',
    /sent ack for the tuple \d+, which it does not hold \(or acked or failed before\)/,
  ],
  ['anchor-after-ack', /anchored an emit to the tuple \d+, which it does not hold/],
  ['no-command', /sent a message without a command: \{"comand"/],
  ['no-tuple', /sent an emit without a tuple/],
  ['unknown-stream', /bad\[task \d+\] emits on stream "nowhere", which it does not declare/],
  ['wrong-arity', /emits 3 values on stream "default", which has 1 field/],
  ['closes-stdin', /component "bad" task/],
  ['closes-stdout', /component "bad" task/],
  ['error-and-exit-0', /exited with code 0[\s\S]*its last error was: Traceback: the last words/],
  ['raises', /exited with code 1[\s\S]*ValueError: the number of the beast/],
  ['hang', /gave no sign of life for 3 s/],
  ['ignores-sigterm', /gave no sign of life for 3 s; it was ended \(was killed by SIGKILL\)/],
  ['grandchildren', /exited with code 3/],
  ['exits-at-start', /exited with code 1 before it had said its pid[\s\S]*cannot start today/],
]

for (const [mode, error] of ENDED) {
  const pitfall = /ack/.test(mode) ? 'P19: ' : ''
  test(`${pitfall}a bolt that does this is ended by name and replaced, and every root is acked: ${mode}`, async t => {
    const done = await run(t, mode)
    t.regex(done.stderr, /component "bad" task \d+: its process \(python3 misbehave\.py/)
    t.regex(done.stderr, error)
    t.true(done.peakMb < MEMORY_MB, `${done.peakMb} MB`)
  })
}

test('a bolt that never says its pid keeps nobody else from running, nor the end from coming', async t => {
  const done = await runFlux(t, 'rubbish', {
    given: NUMBERS,
    properties: { mode: 'always-no-pid', replays: 'false', timeout: '2' },
    config: { 'topology.message.timeout.secs': 1 },
    args: ['--for', '6s'],
  })
  assertOthersWentOn(t, done)
  t.regex(done.stderr, /bad.*still waiting for the pid of python3 misbehave.py/)
  t.is(done.figures.failed, NUMBERS.length, 'what waits for it fails by the message timeout')
  t.is(done.code, 1)
  t.notRegex(done.stderr, /processes that were left/)
})

test('a bolt that exits at each start keeps nobody else from running, nor the end from coming', async t => {
  const done = await runFlux(t, 'rubbish', {
    given: NUMBERS,
    properties: { mode: 'always-exits-at-start', replays: 'false', timeout: '30' },
    config: { 'topology.message.timeout.secs': 1 },
    args: ['--for', '6s'],
  })
  assertOthersWentOn(t, done)
  t.is(done.figures.failed, NUMBERS.length)
  t.is(done.code, 1)
})

const SPOUTS: readonly [mode: string, timeoutSecs: number, error: RegExp | undefined][] = [
  ['unknown-command', 30, /sent the command "frobnicate", which a spout does not have/],
  ['hangs-in-turn', 3, /gave no sign of life for 3 s/],
  ['exits', 30, /component "bad" task \d+: its process .* exited with code 0/],
  ['floods-syncs', 30, undefined],
  ['emits-without-turn', 30, undefined],
  // The timeout is far: the end of the run must not wait for it.
  ['hangs-in-turn', 60, undefined],
  ['never-syncs-activate', 60, undefined],
]

for (const [mode, timeout, error] of SPOUTS) {
  test(`a spout that does this does no harm to others: ${mode}, timeout ${timeout} s`, async t => {
    const done = await runFlux(t, 'rubbish-spout', {
      given: NUMBERS,
      properties: { mode, timeout: String(timeout) },
      args: ['--for', '7s'],
    })
    assertOthersWentOn(t, done)
    if (error !== undefined) t.regex(done.stderr, error)
    else t.notRegex(done.stderr, /SHELL_/)
    const { emitted, acked, failed, pending, lost } = done.figures
    t.is(emitted, acked + failed + pending + lost)
    if (mode !== 'never-syncs-activate') t.true(distinct(done, 'bad-seen').length === 5)
    t.notRegex(done.stderr, /processes that were left/)
  })
}
