// Shell components with a real python3 behind them: the whole way through pipes, and a death.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { EngineError } from 'gearpump/spi'
import { ShellBolt } from '../../../../storm-compat/component/shell-bolt.ts'
import { ShellSpout } from '../../../../storm-compat/component/shell-spout.ts'
import { Double } from '../../../../storm-compat/component/values.ts'
import { BoltRecorder, contextFrom, SPLIT_CONTEXT, SpoutRecorder, tupleOf } from './support.ts'

const RESOURCES = fileURLToPath(new URL('.', import.meta.url))

const shell = (kind: string) => ({
  command: ['python3', 'words.py', kind],
  env: {},
  changeChildCwd: true,
})

const place = () => ({ resources: RESOURCES, pidDir: mkdtempSync(join(tmpdir(), 'pids-')) })

/** Waits for something to become true, one turn of the event loop at a time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

test('a python bolt splits, prints, dies and goes on in a new process', async t => {
  const collector = new BoltRecorder()
  const { context, logged } = contextFrom(SPLIT_CONTEXT, place())
  const bolt = new ShellBolt(shell('bolt'))
  await bolt.prepare({}, context, collector)
  const [good, bad, later] = [
    tupleOf(['the cow', new Double(1)]),
    tupleOf(['die', 1]),
    tupleOf(['jumped', 1]),
  ]
  void bolt.execute(good!)
  await until(() => collector.acked.length === 1)
  t.deepEqual(
    collector.emits.map(emit => emit.values),
    [
      ['the', new Double(3), 'float'],
      ['cow', new Double(3), 'float'],
    ],
  )
  t.deepEqual(collector.emits[0]!.anchors, [good])
  t.is(logged.filter(line => /name:split stdout: went to \[4\]/.test(line)).length, 2)

  void bolt.execute(bad!)
  await until(() => collector.errors.length === 1)
  t.deepEqual(collector.failed, [bad])
  t.is((collector.errors[0] as EngineError).code, 'SHELL_DIED')
  t.regex(
    collector.errors[0]!.message,
    /component "split" task 3.* exited with code 0\n.*stderr lines were:\n {2}about to die/s,
  )

  void bolt.execute(later!)
  await until(() => collector.acked.length === 2)
  t.is(collector.emits[2]!.values[2], 'int')
  await bolt.cleanup()
})

test('a python spout emits, hears of its ids as it gave them, and is ended', async t => {
  const collector = new SpoutRecorder()
  const { context, logged } = contextFrom(
    { ...SPLIT_CONTEXT, componentid: 'sp', taskid: 2 },
    place(),
  )
  const spout = new ShellSpout(shell('spout'))
  await spout.open({}, context, collector)
  await spout.activate()
  for (let i = 0; i < 5; i++) await spout.nextTuple()
  t.deepEqual(
    collector.emits.map(emit => emit.id),
    [{ n: 0 }, { n: 1 }, { n: 2 }],
  )
  await spout.ack({ n: 0 })
  await spout.fail({ n: 2 })
  t.deepEqual(
    logged.map(line => line.replace(/^.*name:sp /, '')),
    ['ack 0', 'fail 2'],
  )
  await spout.deactivate()
  await spout.close()
  t.deepEqual(collector.errors, [])
})
