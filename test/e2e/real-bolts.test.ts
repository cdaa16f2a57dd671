// Bolts of other projects, unmodified, each through a Flux file and `gear run`: Storm's own examples on Storm's own
// libraries, pystorm from PyPI, a compiled Go child. What they make of the sentences is compared with what they should.
import test, { type ExecutionContext } from 'ava'
import { type RealPart, realTest } from '../real/parts.ts'
import { type FluxRun, type FluxRunOptions, runFlux } from './flux-run.ts'

const NOUNS = [
  'the cow',
  'an apple',
  'snow white',
  'Ärger',
  '月',
  '🐄🌙',
  'null',
  '{"command"',
  'end',
  '\\nend\\n',
]
const SENTENCES = Array.from(
  { length: 100 },
  (_, i) => `${NOUNS[i % NOUNS.length]} jumped over number ${i % 7} the moon`,
)
const FEW = SENTENCES.slice(0, 30)
const WORDS = SENTENCES.flatMap(sentence => sentence.split(' '))

function counts(words: readonly unknown[]): [string, number][] {
  const map = new Map<string, number>()
  for (const word of words) map.set(String(word), (map.get(String(word)) ?? 0) + 1)
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

function assertExact(
  t: ExecutionContext,
  run: FluxRun,
  words = WORDS,
  roots = SENTENCES.length,
): void {
  t.deepEqual(counts(run.seen('words').map(({ values }) => values[0])), counts(words))
  const { emitted, acked, failed, pending, lost } = run.figures
  t.deepEqual(
    { emitted, acked, failed, pending, lost },
    { emitted: roots, acked: roots, failed: 0, pending: 0, lost: 0 },
  )
  t.is(run.code, 0, run.stderr)
}

function split(
  t: ExecutionContext,
  parts: readonly RealPart[],
  command: readonly [string, string, string?],
  more: FluxRunOptions = {},
) {
  const [program, script, serializer = 'json'] = command
  return runFlux(t, 'split', {
    given: SENTENCES.map(s => [s]),
    parts,
    properties: { program, script, serializer },
    ...more,
  })
}

realTest(
  test,
  ['storm-starter', 'multilang'],
  "splitsentence.py on Storm's storm.py counts exactly",
  async (t, parts) => {
    assertExact(t, await split(t, parts, ['python3', 'splitsentence.py']))
  },
)

realTest(
  test,
  ['storm-starter', 'multilang'],
  'splitsentence.py counts exactly over two executors',
  async (t, parts) => {
    assertExact(
      t,
      await split(t, parts, ['python3', 'splitsentence.py'], {
        args: ['--until-drained', '--executors', '2'],
      }),
    )
  },
)

realTest(
  test,
  ['storm-starter', 'multilang'],
  "splitsentence.js on Storm's storm.js counts exactly",
  async (t, parts) => {
    assertExact(t, await split(t, parts, ['node', 'splitsentence.js']))
  },
)

realTest(
  test,
  ['storm-starter'],
  'splitsentence.js on the storm.js of its own release (0.9.4) counts exactly',
  async (t, parts) => {
    assertExact(t, await split(t, parts, ['node', 'splitsentence.js']))
  },
)

test('a bolt on our own storm.py counts exactly', async t => {
  assertExact(t, await split(t, [], ['python3', 'split.py']))
})

realTest(test, ['pystorm'], 'a pystorm bolt counts exactly in JSON', async (t, [pystorm]) => {
  assertExact(t, await split(t, [pystorm], [pystorm.program!, 'pystorm_split.py']))
})

realTest(
  test,
  ['pystorm'],
  'P4: a pystorm bolt counts exactly in MessagePack, told by -s in its argument alone',
  async (t, [pystorm]) => {
    assertExact(t, await split(t, [pystorm], [pystorm.program!, 'pystorm_split.py', 'msgpack']))
  },
)

realTest(
  test,
  ['go-child'],
  'P1: a compiled Go child that reads one line counts exactly',
  async (t, [go]) => {
    assertExact(t, await split(t, [go], [go.program!, '-plain']))
  },
)

realTest(
  test,
  ['go-child'],
  'P18: a compiled Go child that waits for its task ids counts exactly',
  async (t, [go]) => {
    assertExact(t, await split(t, [go], [go.program!, '-ids']))
  },
)

realTest(
  test,
  ['storm-starter', 'multilang', 'ruby'],
  'P26: splitsentence.rb never acks: its words come, and each root fails between one and two message timeouts',
  async (t, [starter, multilang, ruby]) => {
    const run = await split(t, [starter, multilang], [ruby.program!, 'splitsentence.rb'], {
      given: FEW.map(s => [s]),
      config: { 'topology.message.timeout.secs': 3 },
    })
    t.deepEqual(
      counts(run.seen('words').map(({ values }) => values[0])),
      counts(FEW.flatMap(s => s.split(' '))),
    )
    const { emitted, acked, failed, pending } = run.figures
    t.deepEqual(
      { emitted, acked, failed, pending },
      { emitted: 30, acked: 0, failed: 30, pending: 0 },
    )
    const ends = run.ends('sentences')
    t.deepEqual([...new Set(ends.map(({ end }) => end))], ['fail'])
    const times = ends.map(({ ms }) => ms)
    // P27; the clocks of spout and engine are read at different moments, and the machine may be busy.
    t.true(Math.min(...times) >= 2990, `failed after ${Math.min(...times)} ms`)
    t.true(Math.max(...times) <= 7000, `failed after ${Math.max(...times)} ms`)
    t.is(run.code, 1, 'ids failed and were not acked later')
  },
)

realTest(
  test,
  ['storm-starter', 'multilang'],
  'asyncSplitsentence.js acks after five seconds, before its task ids were looked at',
  async (t, parts) => {
    const run = await runFlux(t, 'split', {
      given: FEW.map(s => [s]),
      parts,
      properties: { program: 'node', script: 'asyncSplitsentence.js', serializer: 'json' },
    })
    assertExact(
      t,
      run,
      FEW.flatMap(s => s.split(' ')),
      FEW.length,
    )
    t.true(run.ends('sentences').every(({ ms }) => ms >= 4900))
  },
)
