// Released jars of storm-starter, submitted unchanged by our `storm jar`: what users try first. The topologies of one line run side by
// side. What their components emitted is read from the log, and compared with what it must be.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { realTest } from '../real/parts.ts'
import { runStarters, type Starters } from './sidecar/starters.ts'
import { until } from './until.ts'

/** Many JVMs start at once here. */
const PATIENCE_MS = 200_000
const WORDS = 40
const OLD_STORM_PY = ['-c', 'gearpump.multilang.replace.storm.py=true']

/** What one program of the jar must do; the options are those of `storm jar`. */
type Program = (t: ExecutionContext, run: Starters, options: readonly string[]) => Promise<void>

async function emitted(run: Starters, component: string, count: number) {
  return await until(
    `${component} has emitted ${count} times`,
    () => {
      const found = run.emitted(component)
      return found.length >= count ? found : undefined
    },
    PATIENCE_MS,
  )
}

const exclamation: Program = async (t, run, options) => {
  await run.submit('ExclamationTopology', ['exclamation'], ...options)
  for (const text of await emitted(run, 'exclaim2', 5)) {
    t.regex(text, /^\[ '(nathan|mike|jackson|golda|bertels)!!!!!!' \]$/)
  }
}

// A Java spout, a Python split, a Java count: at the end every word was counted as often as it was in the sentences.
const wordCount: Program = async (t, run, options) => {
  await run.submit('WordCountTopology', ['words'], ...options)
  await emitted(run, 'count', WORDS)
  await run.storm('deactivate', 'words')
  const expected = () => tally(run.emitted('spout').flatMap(text => textOf(text).split(' ')))
  const total = () => [...expected().values()].reduce((sum, count) => sum + count, 0)
  await until('all words are counted', () => run.emitted('count').length >= total(), PATIENCE_MS)
  const counts = new Map<string, number>()
  for (const text of run.emitted('count')) {
    const [, word = '', count] = /^\[ ['"](.*)['"], (\d+) \]$/.exec(text) ?? []
    t.is(Number(count), (counts.get(word) ?? 0) + 1)
    counts.set(word, Number(count))
  }
  t.deepEqual([...counts].sort(), [...expected()].sort())
}

const textOf = (text: string) => /^\[ ['"](.*)['"] \]$/.exec(text)![1]!

function tally(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

const rollingTopWords: Program = async (t, run, options) => {
  await run.submit('RollingTopWords', ['rolling', 'remote'], ...options)
  const ranking =
    /text: '\[(\[(nathan|mike|jackson|golda|bertels)\|\d+(\|\[\[\[3\]\]\])?\](, )?){1,5}\]'/
  const found = await until(
    'there is a ranking',
    () => run.emitted('finalRanker').find(text => ranking.test(text)),
    PATIENCE_MS,
  )
  const counts = [...found.matchAll(/\|(\d+)[|\]]/g)].map(([, count]) => Number(count))
  t.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  )
}

const reach: Program = async (t, run, options) => {
  await run.submit('ReachTopology', ['reach'], ...options)
  t.is(await run.call('reach', 'foo.com/blog/1'), '16')
  t.is(await run.call('reach', 'engineering.twitter.com/blog/5'), '14')
  t.is(await run.call('reach', 'notaurl.com'), '0')
}

// The sums of 30 integers, each time that 10 more have come, and the averages of three sums.
const slidingWindow: Program = async (t, run, options) => {
  await run.submit('SlidingWindowTopology', ['sliding'], ...options)
  const averages = (await emitted(run, 'tumblingavg', 1)).map(numberIn)
  const integers = run.emitted('integer').map(numberIn)
  const sums = run.emitted('slidingsum').map(numberIn)
  t.true(sums.length >= 3)
  sums.forEach((sum, i) => {
    const window = integers.slice(Math.max(0, 10 * (i + 1) - 30), 10 * (i + 1))
    t.is(
      sum,
      window.reduce((a, b) => a + b, 0),
    )
  })
  averages.forEach((average, i) => {
    const [a = 0, b = 0, c = 0] = sums.slice(3 * i, 3 * i + 3)
    t.is(average, Math.trunc((a + b + c) / 3))
  })
}

const numberIn = (text: string) => Number(/^\[ (-?\d+)/.exec(text)![1])

/** Line, version, and what is run of it: what tells most of each, few of those whose jar has 70 and 100 MB. */
const LINES: readonly (readonly [string, string, readonly (readonly [Program, ...string[]])[]])[] =
  [
    ['0.9', '0.9.4', [[exclamation], [rollingTopWords], [reach]]],
    ['0.10', '0.10.0', [[wordCount, ...OLD_STORM_PY], [reach]]],
    ['1.0', '1.0.2', [[slidingWindow]]],
    ['1.2', '1.2.2', [[wordCount], [reach]]],
  ]

for (const [line, version, programs] of LINES) {
  realTest(
    test.serial,
    ['storm-lib', 'storm-starters'],
    `storm jar runs the programs of storm-starter ${version} unchanged`,
    async (t, [lib, starters]) => {
      t.timeout(2 * PATIENCE_MS)
      const run = await runStarters(t, {
        lib,
        line,
        jar: join(starters.dir, `storm-starter-${version}.jar`),
        // Of RollingTopWords; the jar of 0.9.4 does not bring it.
        beside: line === '0.9' ? [join(starters.dir, 'commons-collections-3.2.1.jar')] : [],
      })
      await Promise.all(programs.map(([program, ...options]) => program(t, run, options)))
    },
  )
}

realTest(
  test.serial,
  ['storm-lib', 'storm-starters'],
  'a storm.py for Python 2 is named as the cause, with the setting that replaces it',
  async (t, [lib, starters]) => {
    t.timeout(PATIENCE_MS)
    const jar = join(starters.dir, 'storm-starter-0.10.0.jar')
    const run = await runStarters(t, { lib, line: '0.10', jar, beside: [] })
    await run.submit('WordCountTopology', ['words'])
    await until('it is said', () =>
      run.lines.some(text =>
        /SyntaxError.*\n.*gearpump\.multilang\.replace\.storm\.py=true/s.test(text),
      ),
    )
    t.pass()
  },
)
