// Which children are taken for ones that queue task ids: those on Storm's own libraries, and nobody else.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { queuesTaskIds } from '../../../../storm-compat/multilang/child-library.ts'
import { ownResources } from '../../../../storm-compat/multilang/own-resources.ts'
import { realTest } from '../../../real/parts.ts'

// What matters of Storm's libraries, in our words.
const QUEUING_PY = `
def readTaskIds():
    if pending_taskids:
        return pending_taskids.popleft()
    msg = readMsg()
    while type(msg) is not list:
        pending_commands.append(msg)
        msg = readMsg()
    return msg
def readCommand():
    while type(msg) is list:
        pending_taskids.append(msg)
`
const BOLT_PY = 'import storm\n\nclass Split(storm.BasicBolt):\n    pass\nSplit().run()\n'

function folderWith(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function queues(folder: string, command: readonly string[], env: Record<string, string> = {}) {
  return queuesTaskIds({ command, env, changeChildCwd: true }, folder)
}

test('a script with a library that queues beside it is taken', t => {
  const folder = folderWith(t, {
    'split.py': BOLT_PY,
    'storm.py': QUEUING_PY,
    'bolts/count.py': 'from storm import BasicBolt\n',
    'bolts/storm.py': QUEUING_PY,
  })
  t.true(queues(folder, ['python3', 'split.py']))
  t.true(queues(folder, ['/usr/bin/python3.11', '-u', 'split.py', '-s', 'json']))
  t.true(queues(folder, ['python', 'bolts/count.py']))
  t.true(
    queuesTaskIds(
      { command: ['python3', join(folder, 'split.py')], env: {}, changeChildCwd: false },
      '/nowhere',
    ),
  )
})

test('without the library beside it, or with another one, a script is not taken', t => {
  const folder = folderWith(t, {
    'storm.py': QUEUING_PY,
    'alone/split.py': BOLT_PY,
    'other/split.py': BOLT_PY,
    'other/storm.py': 'def readTaskIds():\n    return readMsg()\n',
    'package/split.py': BOLT_PY,
    'package/storm.py': QUEUING_PY,
    'package/storm/__init__.py': '',
  })
  for (const place of ['alone', 'other', 'package'])
    t.false(queues(folder, ['python3', `${place}/split.py`]))
  t.false(queues(folder, ['python3', 'missing.py']))
})

test('a script that does not use the library, or reads its input by itself, is not taken', t => {
  const folder = folderWith(t, {
    'storm.py': QUEUING_PY,
    'own.py': 'import json, sys\n# import storm\n',
    'pystorm.py': 'from pystorm import Bolt\n',
    'stormy.py': 'import stormy\n',
    'reads.py': `${BOLT_PY}msg = storm.readMsg()\n`,
    'asks.py': `${BOLT_PY}ids = storm.readTaskIds()\n`,
    'stdin.py': `${BOLT_PY}import sys; sys.stdin.readline()\n`,
  })
  for (const name of ['own', 'pystorm', 'stormy', 'reads', 'asks', 'stdin']) {
    t.false(queues(folder, ['python3', `${name}.py`]), name)
  }
})

test('commands that are not a program and its script are not taken', t => {
  const folder = folderWith(t, { 'split.py': BOLT_PY, 'storm.py': QUEUING_PY, 'split.js': BOLT_PY })
  for (const command of [
    ['python3', '-m', 'split'],
    ['python3', '-I', 'split.py'],
    ['bash', '-c', 'python3 split.py'],
    ['node', 'split.js'],
    ['./split.py'],
    ['streamparse_run', '-s json split.py'],
    ['python3'],
    [],
  ]) {
    t.false(queues(folder, command), command.join(' '))
  }
  t.false(queues(folder, ['python3', 'split.py'], { PYTHONSAFEPATH: '1' }))
})

realTest(
  test,
  ['multilang'],
  "Storm's own storm.py and storm.rb queue, its storm.js is never asked",
  (t, [multilang]) => {
    const of = (name: string) => readFileSync(join(multilang.dir, name), 'utf8')
    const folder = folderWith(t, {
      'split.py': BOLT_PY,
      'storm.py': of('storm.py'),
      'split.rb': 'require "./storm"\n',
      'storm.rb': of('storm.rb'),
      'split.js': "var storm = require('./storm')\n",
      'storm.js': of('storm.js'),
    })
    t.true(queues(folder, ['python3', 'split.py']))
    t.true(queues(folder, ['ruby', 'split.rb']))
    t.false(queues(folder, ['node', 'split.js']))
    return Promise.resolve()
  },
)

test('our own storm.py, which does not wait for ids, is not taken', t => {
  const folder = folderWith(t, {
    'split.py': BOLT_PY,
    'storm.py': readFileSync(join(ownResources, 'storm.py'), 'utf8'),
  })
  t.false(queues(folder, ['python3', 'split.py']))
})
