// The parser of Storm's verbs.

import test from 'ava'
import {
  given,
  list,
  one,
  readCommandLine,
  wholeNumber,
  words,
} from '../../../../storm-compat/cli/command-line.ts'
import { StormUsageError } from '../../../../storm-compat/cli/usage-error.ts'

const table = {
  wait: { flags: ['-w', '--wait'], takes: 'one' },
  executor: { flags: ['-e', '--executor'], takes: 'list' },
  force: { flags: ['-i', '--ignore'], takes: 'nothing' },
} as const

test('options stand anywhere, with their value behind, attached, or after an equals sign', t => {
  const line = readCommandLine(
    ['-w', '5', 'wc', '-e', 'a=1', '--executor=b=2', '-ec=3', '-i', '-c', 'x=y'],
    table,
  )
  t.deepEqual(line.words, ['wc'])
  t.is(one(line, 'wait'), '5')
  t.deepEqual(list(line, 'executor'), ['a=1', 'b=2', 'c=3'])
  t.true(given(line, 'force'))
  t.deepEqual(list(line, 'setting'), ['x=y'])
})

test('an option that is given twice has its last value, and a negative number is an argument', t => {
  const line = readCommandLine(['-w', '5', '-w', '6', '-1'], table)
  t.is(one(line, 'wait'), '6')
  t.deepEqual(line.words, ['-1'])
})

test('what is unknown is refused with the nearest name, or kept in its place', t => {
  const wrong = () => readCommandLine(['--wiat', '5'], table)
  t.throws(wrong, { instanceOf: StormUsageError, message: /--wiat; did you mean --wait\?/ })
  const line = readCommandLine(['x.jar', 'Main', '--local', '-w', '1', '--', '-i'], table, 'keep')
  t.deepEqual(line.words, ['x.jar', 'Main', '--local', '-i'])
  t.false(given(line, 'force'))
})

test('missing values, values too many, and numbers that are none are refused', t => {
  const refused = (run: () => unknown) => t.throws(run, { instanceOf: StormUsageError })
  refused(() => readCommandLine(['-w'], table))
  refused(() => readCommandLine(['--ignore=1'], table))
  refused(() => wholeNumber(readCommandLine(['-w', '-5'], table), 'wait', 0))
  refused(() => wholeNumber(readCommandLine(['-w', '1.5'], table), 'wait', 0))
  refused(() => wholeNumber(readCommandLine(['-w', '0'], table), 'wait', 1))
  refused(() => words(readCommandLine([], table), ['topology-name']))
  refused(() => words(readCommandLine(['a', 'b'], table), ['topology-name']))
  t.is(wholeNumber(readCommandLine(['-w', '0'], table), 'wait', 0), 0)
  t.is(wholeNumber(readCommandLine([], table), 'wait', 0), undefined)
})
