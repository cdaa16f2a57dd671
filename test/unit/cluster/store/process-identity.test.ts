// A recorded process is believed only while it is the same one.
import { spawn } from 'node:child_process'
import test from 'ava'
import { isSameProcess, processIdentity } from '../../../../src/cluster/store/process-identity.ts'

test('a process is itself until it ends, and another one of its pid is not', async t => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await new Promise(resolve => child.once('spawn', resolve))
  const identity = processIdentity(child.pid!)!
  t.true(isSameProcess(identity))
  t.false(isSameProcess({ ...identity, started: `${identity.started}0` }))
  t.false(isSameProcess({ ...identity, pid: process.pid }))
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  t.is(processIdentity(child.pid!), undefined)
})
