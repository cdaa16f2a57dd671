// What a real child is told at its start equals what Storm 2.8.1 told it in the recorded handshakes; and ticks.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { linesOf } from '../e2e/flux-run.ts'
import { until } from '../e2e/until.ts'
import { startFlux } from './flux-app.ts'

interface Handshake {
  readonly pidDir: string
  readonly conf: Record<string, unknown>
  readonly context: Record<string, unknown>
}

function recorded(file: string): Handshake {
  const url = new URL(`../fixtures/transcripts/${file}`, import.meta.url)
  const line = readFileSync(url, 'utf8')
    .split('\n')
    .find(text => text.startsWith('>> {"pidDir"'))!
  return JSON.parse(line.slice(3)) as Handshake
}

/** Recorded abridged, or named by the run. */
const NOT_COMPARED = new Set([
  '<298 keys in total>',
  '<297 keys in total>',
  'storm.id',
  'topology.tick.tuple.freq.secs',
])

test('P7, P8, P9, P14: a child sees the context and the conf that Storm shows it, and its ticks', async t => {
  const { dir } = await startFlux(t, 'context')
  const told = async (name: string) => {
    const file = join(dir, `handshake-${name}`)
    await until(`${name} has started`, () => existsSync(file))
    const text = readFileSync(file, 'utf8')
    t.is(text.trimEnd().split('\n').length, 1, 'P1: one line')
    return JSON.parse(text) as Handshake
  }
  const records = [
    ['typebolt-7', recorded('real-storm-2.8.1-bolt.txt'), 298],
    ['spout-6', recorded('real-storm-2.8.1-spout.txt'), 297],
  ] as const
  for (const [name, record, keys] of records) {
    const { context, conf, pidDir } = await told(name)
    t.deepEqual(context, record.context)
    t.true(existsSync(pidDir))
    for (const [key, value] of Object.entries(record.conf)) {
      if (!NOT_COMPARED.has(key)) t.deepEqual(conf[key], value, key)
    }
    t.regex(conf['storm.id'] as string, /^tt-1-\d{10}$/)
    t.log(`${name}: ${Object.keys(conf).length} keys, Storm ${keys}`)
  }
  const [bolt, spout, jb] = [await told('typebolt-7'), await told('spout-6'), await told('jb-3')]
  t.is(bolt.conf['topology.tick.tuple.freq.secs'], 1)
  t.false('my.comp.conf' in spout.conf, "another component's settings are not seen")
  t.false('my.comp.conf' in jb.conf)
  t.deepEqual(jb.context['task->component'], bolt.context['task->component'])
  t.is(jb.context.taskid, 3)
  const ticks = await until('two ticks have come', () => {
    const lines = linesOf(join(dir, 'tuples-typebolt-7'))
    return lines.length >= 2 ? lines : undefined
  })
  const { id, ...tick } = JSON.parse(ticks[0]!)
  t.is(typeof id, 'string')
  t.deepEqual(tick, { comp: '__system', stream: '__tick', task: -1, tuple: [1] })
  t.deepEqual(linesOf(join(dir, 'tuples-jb-2')), [], 'ticks come only where they are configured')
})
