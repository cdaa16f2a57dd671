import test from 'ava'
import { asError, UserError } from '../../../src/base/errors.ts'
import type { Submission } from '../../../src/cluster/messages.ts'
import { checkSubmission } from '../../../src/cluster/submission.ts'

const GOOD: Submission = {
  name: 'word.count 2',
  requestId: 'r1',
  bundle: { hash: 'a'.repeat(64), sizeBytes: 10 },
  code: {},
  placement: { executors: 2, each: { cpu: 0, memoryMb: 0 } } as Submission['placement'],
  active: true,
}

test('an ordinary submission is taken', t => {
  t.notThrows(() => checkSubmission(GOOD))
  t.notThrows(() => checkSubmission({ ...GOOD, bundle: undefined }))
})

for (const name of [
  '',
  '.',
  '..',
  'a/b',
  '../../etc/cron.d/x',
  'a\\b',
  'a:b',
  'a\nb',
  'x'.repeat(201),
])
  test(`${JSON.stringify(name).slice(0, 30)} is no name of an application`, t => {
    const error = t.throws(() => checkSubmission({ ...GOOD, name }), { instanceOf: UserError })
    t.is(error?.problems[0]?.place, 'name')
  })

test('all that is wrong is told at once, whatever the client sent', t => {
  const rubbish = {
    name: 7,
    requestId: null,
    bundle: { hash: '../x', sizeBytes: -1 },
    placement: { executors: 1e9, each: { cpu: -1, memoryMb: Number.NaN } },
    restarts: { executors: 'often', windowMs: -5 },
  } as unknown as Submission
  const error = asError(t.throws(() => checkSubmission(rubbish))) as UserError
  t.deepEqual(
    error.problems.map(problem => problem.place),
    [
      'name',
      'requestId',
      'bundle.hash',
      'bundle.sizeBytes',
      'placement.executors',
      'placement.each.cpu',
      'placement.each.memoryMb',
      'restarts.executors',
      'restarts.windowMs',
    ],
  )
  t.notThrows(() => asError(t.throws(() => checkSubmission({} as Submission))))
})
