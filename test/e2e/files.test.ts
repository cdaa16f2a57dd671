// The file connectors on real files: kill -9 of every executor in turn, and files that are rotated while they are followed.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { application, connect, graph, noLog, processor, source } from 'gearpump'
import { fileSource } from 'gearpump/files'
import { diskTest } from '../real/tmpfs.ts'
import { fileCopy } from './apps/file-copy.ts'
import { until } from './until.ts'

const FILES = 6
const LINES = 20_000
const KILLS = 6

function scratch(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

/** How often each line is in the files of the sink. */
function countLines(t: ExecutionContext, to: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of readdirSync(to)) {
    t.regex(name, /^out-[01]-\d{6}\.txt$/)
    const text = readFileSync(join(to, name), 'utf8')
    t.true(text.endsWith('\n'), name)
    for (const line of text.trimEnd().split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return counts
}

test('every executor of a copy from files to files is killed: no line is missing, and the files are whole', async t => {
  const dir = scratch(t)
  const from = join(dir, 'from')
  const to = join(dir, 'to')
  mkdirSync(from)
  for (let file = 0; file < FILES; file++) {
    const lines = Array.from({ length: LINES }, (_, i) => `${file}:${i}\n`)
    writeFileSync(join(from, `${file}.txt`), lines.join(''))
  }
  const gear = await connect({ log: noLog })
  t.teardown(() => gear.close())
  // Few open lines: each waits for the disk, so that the kills meet some under way.
  const app = await gear.submit(fileCopy({ from, to, openMax: 300 }), { executors: 3 })
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = await until(`kill ${kill}`, async () => {
      const { figures, executors } = await app.info()
      if (figures.acked < ((kill + 1) * FILES * LINES) / (KILLS + 2)) return undefined
      return executors.filter(one => one.pid !== undefined)[kill % 3]
    })
    process.kill(victim.pid!, 'SIGKILL')
    await until('it was replaced', async () =>
      (await app.info()).executors.every(one => one.id !== victim.id && one.pid !== undefined),
    )
  }
  await app.drained({ idleMs: 120_000 })
  const { deaths } = await app.info()
  await app.kill()
  t.is(deaths.length, KILLS)
  const counts = countLines(t, to)
  t.is(counts.size, FILES * LINES)
  for (const line of counts.keys()) t.regex(line, /^\d:\d+$/)
  const doubled = [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
  t.log(`${doubled} of ${counts.size} lines came again`)
  t.true(doubled < counts.size, 'a source began from the beginning')
})

diskTest(
  test,
  'the disk of a file sink is full: it says so, waits for room, and no line is missing or torn',
  async (t, mount) => {
    const dir = scratch(t)
    const from = join(dir, 'from')
    mkdirSync(from)
    const line = (i: number) => `${i} ${'x'.repeat(90)}`
    writeFileSync(
      join(from, '0.txt'),
      Array.from({ length: LINES }, (_, i) => `${line(i)}\n`).join(''),
    )
    const to = mount(4096)
    const ballast = join(to, 'ballast')
    writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024))
    const said: string[] = []
    const gear = await connect({ log: { write: line => void said.push(line.text) } })
    t.teardown(() => gear.close())
    const app = await gear.submit(fileCopy({ from, to, openMax: 300 }))
    await until('the sink says it', () => said.some(text => text.includes('the disk is full')))
    const { figures } = await app.info()
    t.true(figures.acked < LINES, 'it was full before the end')
    rmSync(ballast)
    await app.drained({ idleMs: 120_000 })
    await app.kill()
    const counts = countLines(t, to)
    t.is(counts.size, LINES)
    for (let i = 0; i < LINES; i++) if (!counts.has(line(i))) t.fail(`line ${i} is missing`)
  },
)

test('files that are written, renamed and emptied while they are followed: every line comes, each file in order', async t => {
  const dir = scratch(t)
  const got: string[] = []
  const path = join(dir, 'live.log')
  writeFileSync(path, '')
  const lines = source(
    'lines',
    fileSource({ directory: dir, match: '*.log', tail: true, pollMs: 20 }),
  )
  const keep = processor<string, never>('keep', () => ({ onNext: line => void got.push(line) }))
  const gear = await connect({ log: noLog })
  t.teardown(() => gear.close())
  await gear.submit(application('follow', graph(lines.to(keep))))
  const written: string[] = []
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 50; i++) {
      const line = `round ${round} line ${i}`
      written.push(line)
      // In pieces: a line is not one before its end is there.
      appendFileSync(path, line.slice(0, 9))
      appendFileSync(path, `${line.slice(9)}\n`)
    }
    // Emptied only when all was read: what is not read is lost then, by the nature of it.
    if (round % 3 === 2) {
      await until('all was read', () => got.length === written.length)
      truncateSync(path)
    } else if (round % 3 === 1) renameSync(path, join(dir, `live.log.${round}`))
    else if (round % 2 === 0) await until('some was read', () => got.length > 0)
  }
  await until('all was read', () => got.length >= written.length)
  t.deepEqual(got, written)
})
