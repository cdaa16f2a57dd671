// Components out of the Java stream, for every Storm line: what real jars wrote of our small classes.

import test from 'ava'
import { readJavaComponent, shellOrClass } from '../../../../storm-compat/jvm/shell-classes.ts'
import { fixture, linesWith } from './_fixtures.ts'

const LINES = ['0.10.2', '0.9.7', '1.0.2', '1.2.4', '2.8.1']
const COMMAND = ['python3', 'splitsentence.py', '--utf8', 'häße 🙂']

const storm = (line: string) => (line.startsWith('0') ? 'backtype.storm' : 'org.apache.storm')

test('a ShellBolt of any line is its command, though the subclass has a field _command', t => {
  t.deepEqual(linesWith('split'), LINES)
  for (const line of LINES) {
    t.deepEqual(readJavaComponent(fixture(line, 'split')), {
      shell: { command: COMMAND, env: {}, changeChildCwd: true },
      java: {
        className: 'gearpump.fixture.Shells$SplitSentence',
        superNames: [`${storm(line)}.task.ShellBolt`],
      },
    })
  }
})

test('a class two below ShellBolt keeps its environment and working directory, where the line has them', t => {
  for (const line of LINES) {
    const read = readJavaComponent(fixture(line, 'capitals'))
    t.deepEqual('shell' in read && read.shell, {
      command: COMMAND,
      env: line.startsWith('0') ? {} : { LANG: 'de_DE.UTF-8' },
      changeChildCwd: !['1.2.4', '2.8.1'].includes(line),
    })
  }
})

test('a ShellSpout of any line is its command', t => {
  for (const line of LINES) {
    const read = readJavaComponent(fixture(line, 'sentences'))
    t.deepEqual('shell' in read && read.shell.command, ['node', 'randomsentence.js'])
    t.deepEqual(read.java.superNames, [`${storm(line)}.spout.ShellSpout`])
  }
})

test('a bolt that works in Java is named by its classes', t => {
  for (const line of LINES) {
    const className = `${storm(line)}.topology.BasicBoltExecutor`
    const wraps = 'gearpump.fixture.Shells$CountWords'
    const bytes = fixture(line, 'count')
    t.deepEqual(readJavaComponent(bytes), { java: { className, superNames: [], wraps } })
    t.deepEqual(shellOrClass(bytes), { java: `${wraps} (in ${className})` })
  }
})

test('of a bolt in Java only the class is read: what follows may be anything', t => {
  const bytes = fixture('2.8.1', 'count')
  const end = bytes.indexOf('CountWords')
  const cut = Buffer.concat([bytes.subarray(0, end), Buffer.from('not a stream')])
  const className = 'org.apache.storm.topology.BasicBoltExecutor'
  t.deepEqual(readJavaComponent(cut).java, { className, superNames: [] })
})

test("Flux's shell components keep their streams and their configuration", t => {
  t.deepEqual(linesWith('flux-bolt'), ['1.2.4', '2.8.1'])
  for (const line of ['1.2.4', '2.8.1']) {
    const bolt = readJavaComponent(fixture(line, 'flux-bolt'))
    t.true('shell' in bolt)
    if (!('shell' in bolt)) return
    t.deepEqual(bolt.shell, {
      command: ['ruby', 'split.rb'],
      env: { LANG: 'C' },
      changeChildCwd: false,
    })
    t.deepEqual(
      bolt.output?.streams,
      new Map([
        ['default', ['word', 'length']],
        ['errors', ['reason']],
      ]),
    )
    t.deepEqual(bolt.output?.config, new Map([['names', ['a', 'b']]]))
    const spout = readJavaComponent(fixture(line, 'flux-spout'))
    t.deepEqual('shell' in spout && spout.output?.config, new Map([['rate', 5]]))
  }
})

test('what is no object, or has no command, is refused', t => {
  const code = (bytes: Buffer) =>
    t.throws<Error & { code: string }>(() => readJavaComponent(bytes))!.code
  t.is(code(Buffer.from('aced000570', 'hex')), 'JAVA_STREAM_INVALID')
  t.is(code(Buffer.from('{"a":1}')), 'JAVA_STREAM_INVALID')
  t.is(code(Buffer.alloc(0)), 'JAVA_STREAM_INVALID')
})
