import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { LineSpout, TEXT_SETTING } from '../../../../examples/python-word-count/line-spout.ts'
import { contextOf, spoutCollector } from '../fake-storm.ts'

const folder = mkdtempSync(join(tmpdir(), 'gearpump-line-spout-'))
test.after.always(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'text')
writeFileSync(path, 'one\n\n  \ntwo\nthree')

async function opened(linesMax?: number) {
  const spout = new LineSpout(path, linesMax)
  const fake = spoutCollector()
  await spout.open({}, contextOf(0), fake.collector)
  return { spout, ...fake }
}

async function next(spout: LineSpout, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await spout.nextTuple()
}

test('each line that has words is emitted once, with its number as id', async t => {
  const { spout, emitted, told } = await opened()
  await next(spout, 10)
  t.deepEqual(emitted, [
    [['one'], 0],
    [['two'], 1],
    [['three'], 2],
  ])
  t.false(told.exhausted)
  await spout.close()
})

test('a failed line is emitted again, and the end is said when all is acked', async t => {
  const { spout, emitted, told } = await opened()
  await next(spout, 10)
  spout.ack(0)
  spout.ack(2)
  spout.fail(1)
  await next(spout, 2)
  t.deepEqual(emitted.slice(3), [[['two'], 1]])
  t.false(told.exhausted)
  spout.ack(1)
  await next(spout, 1)
  t.true(told.exhausted)
  await spout.close()
})

test('a bound on the lines ends the text early', async t => {
  const { spout, emitted, told } = await opened(1)
  await next(spout, 5)
  spout.ack(0)
  await next(spout, 1)
  t.deepEqual(emitted, [[['one'], 0]])
  t.true(told.exhausted)
  await spout.close()
})

test('the setting wins over the constructor, and a missing text is told at once', async t => {
  const spout = new LineSpout('../data/none')
  const { collector, emitted } = spoutCollector()
  await t.throwsAsync(spout.open({}, contextOf(0), collector), {
    message: /examples\/data\/none cannot be opened/,
  })
  await spout.open({ [TEXT_SETTING]: path }, contextOf(0), collector)
  await next(spout, 2)
  t.is(emitted.length, 1)
  await spout.close()
})
