// What becomes of an actor that failed, decided from its policy and its failures so far.
import test from 'ava'
import { type Policy, Supervisor } from '../../../src/actor/supervision.ts'

const decisions = (policy: Policy, failuresMs: readonly number[], made = true) => {
  const supervisor = new Supervisor(policy)
  return failuresMs.map(ms => {
    const decision = supervisor.failed(ms, made)
    if (decision.kind === 'restart') supervisor.started(ms + decision.waitMs)
    return decision
  })
}

test('stop and escalate do what they say', t => {
  t.deepEqual(decisions({ onFailure: 'stop' }, [0]), [{ kind: 'stop', why: 'it failed' }])
  t.deepEqual(decisions({ onFailure: 'escalate' }, [0]), [{ kind: 'escalate' }])
})

test('resume needs an instance', t => {
  t.deepEqual(decisions({ onFailure: 'resume' }, [0]), [{ kind: 'resume' }])
  t.is(decisions({ onFailure: 'resume' }, [0], false)[0]!.kind, 'stop')
})

test('restarts wait longer each time, and not at all after a healthy while', t => {
  const backoff = { firstMs: 100, maxMs: 300, healthyMs: 10_000 }
  const policy = { onFailure: 'restart', backoff } as const
  const waits = decisions(policy, [0, 1000, 2000, 3000, 4000, 60_000]).map(decision =>
    decision.kind === 'restart' ? decision.waitMs : undefined,
  )
  t.deepEqual(waits, [0, 100, 200, 300, 300, 0])
})

test('a budget is per window', t => {
  const policy = { onFailure: 'restart', budget: { restarts: 2, windowMs: 1000 } } as const
  const kinds = (failuresMs: number[]) => decisions(policy, failuresMs).map(({ kind }) => kind)
  t.deepEqual(kinds([0, 500, 999]), ['restart', 'restart', 'stop'])
  t.deepEqual(kinds([0, 500, 1000, 1500, 2000]), Array(5).fill('restart'))
})
