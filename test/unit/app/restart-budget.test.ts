// When an executor is not started again.
import test from 'ava'
import { NO_LIMIT, RestartBudget } from '../../../src/app/restart-budget.ts'

test('more deaths in the window than there are restarts end the application, and older ones are forgiven', t => {
  const budget = new RestartBudget({ executors: 2, windowMs: 1000 })
  const died = (nowMs: number) => {
    budget.up()
    return budget.died(nowMs, 'signal SIGKILL')
  }
  t.is(died(0), undefined)
  t.is(died(500), undefined)
  t.is(budget.used(999), 2)
  t.is(died(1000), undefined, 'the first is a whole window ago')
  t.is(budget.used(1000), 2)
  const error = died(1400)
  t.is(error?.code, 'EXECUTOR_DIED')
  t.regex(error!.message, /died 3 times in 1 s \(restarts\.executors\), last: signal SIGKILL/)
})

test('without restarts the first death is the last', t => {
  t.truthy(new RestartBudget({ executors: 0, windowMs: 1000 }).died(0, 'exit code 1'))
})

test('an executor that does not come up is given up after ten in a row, whatever the limit', t => {
  const budget = new RestartBudget(NO_LIMIT)
  for (let i = 0; i < 100; i++) {
    t.is(budget.died(i, 'exit code 1'), undefined)
    if (i % 10 === 9) budget.up()
  }
  t.is(budget.used(100), 0, 'nothing is counted without a limit')
  for (let i = 0; i < 10; i++) t.is(budget.died(i, 'exit code 1'), undefined)
  t.regex(budget.died(11, 'exit code 1')!.message, /11 times in a row before it was up/)
})
