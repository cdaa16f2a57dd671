// What a Python child of the multi-lang protocol reaches by itself: its input lies ready in a file, its output is read
// from a pipe, as the engine makes one, by a reader that does nothing else. An engine that drives the child cannot be
// faster than this, so this is what ours is measured against. The component splits the ten-word sentences of `sentences.ts`.
//
//   node --conditions=source --import=./bin/typescript.mjs bench/child-ceiling.ts [sentences] [runs] [part of a name]
//
// One JSON line per row: the best run on the wall, the least CPU of all runs. CPU is that of the child alone (its user and
// system time), with what it takes to start left out. Stock storm.py waits for the ids of each emit; its input has them
// ahead of each sentence, where its queue finds them, so that it never waits: that is its ceiling. Stock and pystorm come
// from `test/real/bring.sh multilang pystorm`; a missing part gives a row that says so. Beside a busy neighbour the wall
// figures mean little and the CPU figures are up to twice too high.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Packr } from 'msgpackr'
import { kernelPipe } from '../storm-compat/multilang/kernel-pipe.ts'
import { part } from '../test/real/parts.ts'
import { sentences } from './sentences.ts'

interface Row {
  name: string
  /** Where the module `storm` comes from; pystorm has none. */
  modules: string | undefined
  python: string
  args: string[]
  input: 'json' | 'json-ids' | 'msgpack'
  missing?: string
}

interface Run {
  wallS: number
  cpuS: number
  outBytes: number
}

const wordsPerSentence = 10
// A child that takes longer than this for its input has hung.
const runMsMax = 120_000

const stormBolt = `
import storm
class Split(storm.BasicBolt):
    def process(self, tup):
        for word in tup.values[0].split(" "):
            storm.emit([word])
Split().run()
`
const pystormBolt = `
import sys
from pystorm import Bolt
class Split(Bolt):
    def process(self, tup):
        for word in tup.values[0].split(" "):
            self.emit([word])
Split(serializer=sys.argv[1]).run()
`
// Runs the component and writes what it cost to a file, as the process ends, whichever way it ends.
const meter = `
import atexit, os, resource, runpy, sys
def cpu():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime
script, report = sys.argv[1], sys.argv[2]
sys.argv = [script] + sys.argv[3:]
import json, threading, weakref, traceback
started = cpu()
atexit.register(lambda: open(report, 'w').write(repr(cpu() - started)))
runpy.run_path(script, run_name='__main__')
`

function rows(): Row[] {
  const ours = fileURLToPath(new URL('../storm-compat/multilang/resources', import.meta.url))
  const stock = part('multilang')
  const venv = part('pystorm')
  const python = 'program' in venv && venv.program !== undefined ? venv.program : 'python3'
  const noStock = 'missing' in stock ? { missing: stock.missing } : {}
  const noVenv = 'missing' in venv ? { missing: venv.missing } : {}
  const stockDir = 'dir' in stock ? stock.dir : undefined
  const packed = ['-s', 'msgpack']
  return [
    {
      name: 'storm.py of Storm',
      modules: stockDir,
      python: 'python3',
      args: [],
      input: 'json-ids',
      ...noStock,
    },
    {
      name: 'storm.py of Storm, simplejson',
      modules: stockDir,
      python,
      args: [],
      input: 'json-ids',
      ...noStock,
      ...noVenv,
    },
    { name: 'our storm.py, json', modules: ours, python: 'python3', args: [], input: 'json' },
    {
      name: 'our storm.py, msgpack',
      modules: ours,
      python,
      args: packed,
      input: 'msgpack',
      ...noVenv,
    },
    {
      name: 'our storm.py, msgpack in plain Python',
      modules: ours,
      python: 'python3',
      args: packed,
      input: 'msgpack',
    },
    { name: 'pystorm, json', modules: undefined, python, args: ['json'], input: 'json', ...noVenv },
    {
      name: 'pystorm, msgpack',
      modules: undefined,
      python,
      args: ['msgpack'],
      input: 'msgpack',
      ...noVenv,
    },
  ]
}

function writeInput(folder: string, kind: Row['input'], count: number): void {
  const packr = new Packr({ useRecords: false, variableMapSize: true })
  const encode = (message: unknown): Buffer =>
    kind === 'msgpack'
      ? Buffer.from(packr.pack(message))
      : Buffer.from(`${JSON.stringify(message)}\nend\n`)
  const ids = kind === 'json-ids' ? encode([4]) : Buffer.alloc(0)
  const ahead = Buffer.concat(Array<Buffer>(wordsPerSentence).fill(ids))
  const text = sentences()
  const context = { 'task->component': { '1': 'split' }, taskid: 1, componentid: 'split' }
  const parts = [encode({ pidDir: folder, conf: { 'topology.name': 'ceiling' }, context })]
  for (let i = 0; i < count; i++) {
    // Ids as long as Storm's, which are random numbers of 64 bits.
    const id = String(-6955786537413350000n - BigInt(i) * 7919n)
    const tuple = { id, comp: 'spout', stream: 'default', task: 7, tuple: [text[i % text.length]] }
    parts.push(ahead, encode(tuple))
  }
  writeFileSync(join(folder, `input.${kind}`), Buffer.concat(parts))
}

async function run(folder: string, row: Row): Promise<Run> {
  const script = join(folder, row.modules === undefined ? 'split_pystorm.py' : 'split.py')
  const report = join(folder, 'cpu')
  const input = openSync(join(folder, `input.${row.input}`), 'r')
  const began = process.hrtime.bigint()
  const pipe = kernelPipe(join(folder, 'stdout'))
  const child = spawn(row.python, [join(folder, 'meter.py'), script, report, ...row.args], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: row.modules ?? '', PYTHONUNBUFFERED: '' },
    stdio: [input, pipe?.fd ?? 'pipe', 'ignore'],
    timeout: runMsMax,
  })
  closeSync(input)
  if (pipe !== undefined) closeSync(pipe.fd)
  let outBytes = 0
  const stdout = pipe?.reader ?? child.stdout
  stdout?.on('data', (chunk: Buffer) => {
    outBytes += chunk.length
  })
  await once(child, 'close')
  const wallS = Number(process.hrtime.bigint() - began) / 1e9
  return { wallS, cpuS: Number(readFileSync(report, 'utf8')), outBytes }
}

async function measure(folder: string, row: Row, count: number, runs: number): Promise<unknown> {
  if (row.missing !== undefined) return { name: row.name, missing: row.missing }
  const taken: Run[] = []
  for (let i = 0; i < runs; i++) taken.push(await run(folder, row))
  const wallS = Math.min(...taken.map(r => r.wallS))
  const cpuS = Math.min(...taken.map(r => r.cpuS))
  return {
    name: row.name,
    sentencesPerS: Math.round(count / wallS),
    sentencesPerCpuS: Math.round(count / cpuS),
    cpuUsPerSentence: Number(((cpuS / count) * 1e6).toFixed(1)),
    outBytesPerSentence: Math.round(taken[0]!.outBytes / count),
  }
}

async function main(): Promise<void> {
  const [count = '20000', runs = '3', only = ''] = process.argv.slice(2)
  const folder = mkdtempSync(join(tmpdir(), 'child-ceiling-'))
  try {
    writeFileSync(join(folder, 'split.py'), stormBolt)
    writeFileSync(join(folder, 'split_pystorm.py'), pystormBolt)
    writeFileSync(join(folder, 'meter.py'), meter)
    for (const kind of ['json', 'json-ids', 'msgpack'] as const)
      writeInput(folder, kind, Number(count))
    for (const row of rows()) {
      if (!row.name.includes(only)) continue
      console.log(JSON.stringify(await measure(folder, row, Number(count), Number(runs))))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
