import test from 'ava'
import { UserError } from '../../../src/base/errors.ts'
import { argumentsHelp } from '../../../src/cli/arguments-help.ts'
import { parseArguments, splitArguments } from '../../../src/cli/file-arguments.ts'

test('the first -- parts the command from the arguments of the file', t => {
  t.deepEqual(splitArguments(['run', 'f.ts', '--', '--a', '--', 'b']), [
    ['run', 'f.ts'],
    ['--a', '--', 'b'],
  ])
  t.deepEqual(splitArguments(['run']), [['run'], []])
})

test('arguments have values behind a space or an equals sign, or none', t => {
  t.deepEqual(
    parseArguments(['--split', '4', '--offset', '-5', '--a=b=c', '--acked', '--x', 'y']),
    {
      split: '4',
      offset: '-5',
      a: 'b=c',
      acked: true,
      x: 'y',
    },
  )
  t.deepEqual(parseArguments(['--text=', '--last']), { text: '', last: true })
  t.deepEqual(parseArguments(['--a', '1', '--a', '2']), { a: '2' })
})

test('words without a name are told all at once', t => {
  const error = t.throws(() => parseArguments(['one', '--a', '1', '-b']), { instanceOf: UserError })
  t.deepEqual(
    error?.problems.map(p => p.place),
    ['one', '-b'],
  )
})

test('the help lists what a file declares: type, description, default, need', t => {
  const help = argumentsHelp('f.ts', {
    split: { type: 'number', default: 4, description: 'tasks' },
    acked: { type: 'boolean' },
    topic: { required: true },
  })
  t.is(
    help,
    [
      'Arguments of f.ts, after --:',
      '  --split <number>  tasks (default: 4)',
      '  --acked',
      '  --topic <text>    (required)',
      '',
    ].join('\n'),
  )
  t.is(argumentsHelp('f.yaml', undefined), 'f.yaml declares no arguments.\n')
})
