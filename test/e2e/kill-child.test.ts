// kill -9 of the processes of shell components under load: only the child restarts, what it held fails at once, nothing is
// missing at the end.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { connect, noLog, streamLog } from 'gearpump'
import {
  type Bolt,
  type OutputCollector,
  type Spout,
  type SpoutOutputCollector,
  shellBolt,
  shellSpout,
  TopologyBuilder,
  type Tuple,
  translate,
} from 'gearpump/storm'
import { alive, until } from './until.ts'

const KILLS = Number(process.env.GEARPUMP_KILLS ?? 5)
const PER_KILL = 2000
const RESOURCES = fileURLToPath(new URL('./apps/resources', import.meta.url))

class Numbers implements Spout {
  readonly #count: number
  readonly emits = new Map<number, number>()
  readonly #again: number[] = []
  readonly #open = new Set<number>()
  #next = 0
  #collector!: SpoutOutputCollector
  constructor(count: number) {
    this.#count = count
  }
  open(_conf: unknown, _context: unknown, collector: SpoutOutputCollector) {
    this.#collector = collector
  }
  nextTuple() {
    const n =
      this.#again.pop() ??
      (this.#next < this.#count && this.#open.size < 500 ? this.#next++ : undefined)
    if (n === undefined) {
      if (this.#next === this.#count && this.#open.size === 0) this.#collector.exhausted()
      return
    }
    this.#open.add(n)
    this.emits.set(n, (this.emits.get(n) ?? 0) + 1)
    this.#collector.emit([n], n)
  }
  ack(n: unknown) {
    this.#open.delete(n as number)
  }
  fail(n: unknown) {
    this.#again.push(n as number)
  }
  declareOutputFields(declarer: { declare(fields: string[]): void }) {
    declarer.declare(['n'])
  }
}

class Seen implements Bolt {
  readonly counts: Map<number, number>
  #collector!: OutputCollector
  constructor(counts: Map<number, number>) {
    this.counts = counts
  }
  prepare(_conf: unknown, _context: unknown, collector: OutputCollector) {
    this.#collector = collector
  }
  execute(tuple: Tuple) {
    const n = tuple.values[0] as number
    this.counts.set(n, (this.counts.get(n) ?? 0) + 1)
    this.#collector.ack(tuple)
  }
  declareOutputFields() {
    return
  }
}

async function start(t: ExecutionContext, build: (builder: TopologyBuilder, dir: string) => void) {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  const pidDir = join(dir, 'pids')
  mkdirSync(pidDir)
  const builder = new TopologyBuilder()
  build(builder, dir)
  const topology = builder.createTopology('kill-child', { 'topology.message.timeout.secs': 60 })
  const { application } = translate(topology, {
    resources: RESOURCES,
    pidDir,
    startedMs: Date.now(),
  })
  const gear = await connect({
    log: process.env.DEBUG_LOG === undefined ? noLog : streamLog(process.stderr, 'trace', 'text'),
  })
  t.teardown(async () => {
    await gear.close()
    rmSync(dir, { recursive: true })
  })
  return { app: await gear.submit(application), pidDir }
}

function pidsOf(pidDir: string, component: string): number[] {
  const dirs = existsSync(pidDir)
    ? readdirSync(pidDir).filter(name => name.startsWith(`${component}-`))
    : []
  return dirs
    .flatMap(name => readdirSync(join(pidDir, name)))
    .map(Number)
    .filter(pid => pid > 0 && alive(pid))
}

test("a bolt's child is killed again and again: no tuple is missing, and replays explain duplicates", async t => {
  const counts = new Map<number, number>()
  const count = KILLS * PER_KILL
  const numbers = new Numbers(count)
  const { app, pidDir } = await start(t, builder => {
    builder.setSpout('numbers', () => numbers)
    builder
      .setBolt('relay', shellBolt(['python3', 'relay.py'], ['n']), 2)
      .shuffleGrouping('numbers')
    builder.setBolt('seen', () => new Seen(counts)).shuffleGrouping('relay')
  })
  const killed = new Set<number>()
  for (let kill = 1; kill <= KILLS; kill++) {
    const pid = await until(`kill ${kill}`, async () => {
      if ((await app.figures()).acked < kill * PER_KILL * 0.5) return undefined
      return pidsOf(pidDir, 'relay').find(candidate => !killed.has(candidate))
    })
    killed.add(pid)
    process.kill(pid, 'SIGKILL')
  }
  await app.drained({ idleMs: 120_000 })
  const info = await app.info()
  t.is(counts.size, count, 'a number is missing')
  t.deepEqual(
    [...counts].filter(([n, seen]) => seen > numbers.emits.get(n)!),
    [],
  )
  t.is(info.figures.unresolved, 0)
  t.true(info.errors.relay!.total >= KILLS, 'each death is told')
  t.regex(info.errors.relay!.last[0]!.message, /SIGKILL/)
  await app.kill()
  t.deepEqual(pidsOf(pidDir, 'relay'), [], 'no child outlives the application')
})

test("a spout's child is killed again and again: it reopens at the position it keeps outside", async t => {
  const counts = new Map<number, number>()
  const count = KILLS * 400
  let position = ''
  const { app, pidDir } = await start(t, (builder, dir) => {
    position = join(dir, 'position')
    builder.setSpout(
      'numbers',
      shellSpout(['python3', 'numbers.py', String(count), position], ['n']),
    )
    builder.setBolt('seen', () => new Seen(counts)).shuffleGrouping('numbers')
  })
  for (let kill = 1; kill <= KILLS; kill++) {
    const pid = await until(`kill ${kill}`, () => {
      const through = existsSync(position) ? Number(readFileSync(position, 'utf8')) : 0
      return through >= kill * 400 * 0.5 ? pidsOf(pidDir, 'numbers')[0] : undefined
    })
    process.kill(pid, 'SIGKILL')
    await until('the next child is there', () =>
      pidsOf(pidDir, 'numbers').some(next => next !== pid),
    )
  }
  await until('all numbers are done', () => Number(readFileSync(position, 'utf8')) === count)
  t.is(counts.size, count, 'a number is missing')
  const { figures } = await app.info()
  t.is(figures.emitted, figures.acked + figures.failed + figures.pending + figures.lost)
})
