// `npm run demo`: counts the words of a real text through a Flux topology whose split bolt is Python, and compares
// every count with what `tr`, `sort` and `uniq` say. Needs Node, python3 and a POSIX shell; downloads nothing but npm
// packages. Exit code 0: all lines were acked and all counts are the same.
import { spawn, spawnSync } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { ensureBuilt, ensureInstalled, root } from './setup.mjs'

const TEXT = 'examples/data/first-folio.txt.gz'
const TOPOLOGY = 'examples/python-word-count/topology.yaml'
const TOP = 10

/** The same rule as in the topology: ASCII letters, apostrophes and what is not ASCII; small letters. */
const PIPELINE = `tr -cs "A-Za-z'\\200-\\377" '\\n' < "$1" | tr A-Z a-z | grep . | sort | uniq -c`

const say = line => process.stdout.write(`${line}\n`)

async function demo(folder) {
  await ensureInstalled({ say })
  await ensureBuilt({ say })
  needs('python3', ['-c', ''])

  const text = join(folder, 'text')
  await pipeline(createReadStream(join(root, TEXT)), createGunzip(), createWriteStream(text))
  const bytes = readFileSync(text).length
  say(`\nThe plays of Shakespeare's First Folio of 1623, ${number(bytes)} bytes (${TEXT})`)

  const counts = join(folder, 'counts')
  const settings = [
    `word-count.text=${JSON.stringify(text)}`,
    `word-count.counts=${JSON.stringify(counts)}`,
  ]
  const args = ['run', TOPOLOGY, '--until-drained', '--stats', ...settings.flatMap(s => ['-c', s])]
  say(`gear ${args.slice(0, 4).join(' ')}\n`)
  const { exitCode, stats } = await gear(args)
  if (exitCode !== 0) throw new Error(`gear ended with exit code ${exitCode}`)

  const counted = countsIn(counts)
  showTop(counted)
  showStats(stats)
  check(stats.emitted > 0 && stats.acked === stats.emitted, 'not every line was acked')
  check(stats.failed + stats.pending + stats.lost === 0, 'lines failed, or were left over')
  compare(counted, countsOfTools(text))
  const words = [...counted.values()].reduce((sum, count) => sum + count, 0)
  say(
    `\nAll ${number(stats.acked)} lines acked; the counts of all ${number(counted.size)} words` +
      ` (${number(words)} in the text) equal those of tr, sort and uniq.`,
  )
}

/** Runs the command; its last line on stdout are the stats. What it says on stderr is shown as it comes. */
async function gear(args) {
  const child = spawn(process.execPath, [join(root, 'bin/gear'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    output += chunk
  })
  const exitCode = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  const last = output.trimEnd().split('\n').at(-1)
  if (!last?.startsWith('{'))
    throw new Error(`gear (exit code ${exitCode}) gave no stats:\n${output}`)
  return { exitCode, stats: JSON.parse(last) }
}

/** The counts that the tasks of the topology wrote. Each word must have been counted in one place. */
function countsIn(folder) {
  const counts = new Map()
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (line === '') continue
      const [count, word] = line.split('\t')
      check(!counts.has(word), `"${word}" was counted by two tasks`)
      counts.set(word, Number(count))
    }
  }
  return counts
}

function countsOfTools(text) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', PIPELINE, 'sh', text], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`tr, sort and uniq failed: ${stderr}`)
  return new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => {
        const [, count, word] = /^ *(\d+) (.*)$/.exec(line)
        return [word, Number(count)]
      }),
  )
}

function compare(counted, expected) {
  const words = new Set([...counted.keys(), ...expected.keys()])
  const wrong = [...words].filter(word => counted.get(word) !== expected.get(word))
  const shown = wrong
    .slice(0, TOP)
    .map(
      word =>
        `${word}: ${counted.get(word) ?? 0} here, ${expected.get(word) ?? 0} by tr, sort and uniq`,
    )
  check(wrong.length === 0, `${wrong.length} words differ:\n${shown.join('\n')}`)
}

function showTop(counts) {
  const top = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, TOP)
  for (const [word, count] of top) say(`${number(count).padStart(8)}  ${word}`)
}

function showStats(stats) {
  const { emitted, acked, failed, pending, lost, seconds } = stats
  say(
    `\nlines: ${number(emitted)} emitted, ${number(acked)} acked, ${failed} failed, ${pending} pending, ${lost} lost`,
  )
  say(`${seconds.toFixed(1)} s, ${number(Math.round(emitted / seconds))} lines/s`)
  say(JSON.stringify(stats))
}

function needs(command, args) {
  const { error } = spawnSync(command, args, { stdio: 'ignore' })
  if (error !== undefined) throw new Error(`${command} is needed for the demo: ${error.message}`)
}

function check(condition, message) {
  if (!condition) throw new Error(message)
}

function number(value) {
  return value.toLocaleString('en')
}

const folder = mkdtempSync(join(tmpdir(), 'gearpump-demo-'))
try {
  await demo(folder)
} catch (error) {
  process.stderr.write(`demo failed: ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
