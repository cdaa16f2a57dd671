// A Python split bolt over the multi-lang protocol, by four libraries. Counted in sentences. Right after each, the child alone
// on the same sentences (bench/child-ceiling.ts): the rate that no engine can exceed, and what part of it was reached.
// Stock storm.py and pystorm come from the cache of test/real; without them a line says what is missing.
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type PartName, part } from '../../test/real/parts.ts'
import { type Case, skipped } from '../harness/case.ts'
import { cost, rounded } from '../harness/machine.ts'
import { type Measured, measure, type Row, type Timing } from '../harness/measure.ts'
import { shellSplitApp } from '../storm-apps.ts'

const WORDS_PER_SENTENCE = 10
/** As the peer's ml-split. */
const PENDING = 1000
const CEILING_RUNS = 2
const CEILING_MS_MAX = 300_000

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
Split(serializer=sys.argv[2]).run()
`

interface Child {
  readonly name: string
  readonly about: string
  readonly needs: readonly PartName[]
  readonly script: string
  readonly serializer: 'json' | 'msgpack'
  /** The Python with pystorm's packages (msgpack in C among them) instead of the plain one. */
  readonly venv: boolean
  /** The child's row in bench/child-ceiling.ts, and sentences for about 5 s of it. */
  readonly ceiling: { readonly row: string; readonly sentences: number }
}

const children: readonly Child[] = [
  {
    name: 'py-split',
    about: 'Python split bolt on the unmodified storm.py of Storm',
    needs: ['multilang'],
    script: stormBolt,
    serializer: 'json',
    venv: false,
    ceiling: { row: 'storm.py of Storm', sentences: 30_000 },
  },
  {
    name: 'py-split-own',
    about: 'the same component on our storm.py, JSON',
    needs: [],
    script: stormBolt,
    serializer: 'json',
    venv: false,
    ceiling: { row: 'our storm.py, json', sentences: 100_000 },
  },
  {
    name: 'py-split-own-msgpack',
    about: 'the same component on our storm.py, MessagePack',
    needs: ['pystorm'],
    script: stormBolt,
    serializer: 'msgpack',
    venv: true,
    ceiling: { row: 'our storm.py, msgpack', sentences: 150_000 },
  },
  {
    name: 'pystorm-json',
    about: 'the same on pystorm, JSON (it asks for no task ids)',
    needs: ['pystorm'],
    script: pystormBolt,
    serializer: 'json',
    venv: true,
    ceiling: { row: 'pystorm, json', sentences: 50_000 },
  },
  {
    name: 'pystorm-msgpack',
    about: 'the same on pystorm, MessagePack',
    needs: ['pystorm'],
    script: pystormBolt,
    serializer: 'msgpack',
    venv: true,
    ceiling: { row: 'pystorm, msgpack', sentences: 150_000 },
  },
]

async function run(child: Child, timing: Timing): Promise<readonly Row[]> {
  for (const name of child.needs) {
    const found = part(name)
    if ('missing' in found) return skipped(child.name, found.missing)
  }
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
  try {
    writeFileSync(join(folder, 'split.py'), child.script)
    // Beside the script, stock storm.py wins over ours, which comes last on PYTHONPATH.
    if (child.needs.includes('multilang')) {
      copyFileSync(join(dirOf('multilang'), 'storm.py'), join(folder, 'storm.py'))
    }
    const measured = await measure(
      shellSplitApp({
        acked: true,
        maxSpoutPending: PENDING,
        folder,
        command: [pythonOf(child), 'split.py', '-s', child.serializer],
        // As the ceiling and the peer: set, each message would be four writes of the child instead of one.
        config: { 'topology.environment': { PYTHONUNBUFFERED: '' } },
      }),
      timing,
      { per: WORDS_PER_SENTENCE },
    )
    return [
      {
        case: child.name,
        ...measured.figures,
        pending: PENDING,
        ...(await beside(child, measured)),
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function dirOf(name: PartName): string {
  const found = part(name)
  return 'dir' in found ? found.dir : ''
}

function pythonOf(child: Child): string {
  const found = child.venv ? part('pystorm') : undefined
  return found !== undefined && 'program' in found && found.program !== undefined
    ? found.program
    : 'python3'
}

// What the child alone does, in the same minute.
async function beside(child: Child, measured: Measured): Promise<Record<string, unknown>> {
  const { perSec, usageFrom, usageTo } = measured
  const childCores = cost(usageFrom, usageTo).children_cpu_cores
  const alone = await ceilingOf(child)
  return {
    child_cpu_us_per_sentence: rounded((childCores / perSec) * 1e6, 1),
    ceiling_per_sec: alone.sentencesPerS,
    ceiling_cpu_us_per_sentence: alone.cpuUsPerSentence,
    of_ceiling: rounded(perSec / alone.sentencesPerS, 3),
  }
}

interface Ceiling {
  readonly name: string
  readonly sentencesPerS: number
  readonly cpuUsPerSentence: number
}

async function ceilingOf({ ceiling }: Child): Promise<Ceiling> {
  const file = (path: string) => new URL(path, import.meta.url)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      `--import=${file('../../bin/typescript.mjs').href}`,
      fileURLToPath(file('../child-ceiling.ts')),
      String(ceiling.sentences),
      String(CEILING_RUNS),
      ceiling.row,
    ],
    { timeout: CEILING_MS_MAX, cwd: fileURLToPath(file('../..')) },
  )
  const rows = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Ceiling)
  // The names of other rows may contain this one's.
  const row = rows.find(({ name }) => name === ceiling.row)
  if (row === undefined) throw new Error(`child-ceiling.ts has no row "${ceiling.row}"`)
  return row
}

export const pythonCases: readonly Case[] = children.map(child => ({
  name: child.name,
  about: child.about,
  run: timing => run(child, timing),
}))
