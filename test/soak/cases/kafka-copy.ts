// Kafka → Python bolt → Kafka in the Flux file of examples/kafka-to-kafka, with Storm's class names, on three real brokers, while
// children, executors, brokers and at last everything are killed by seed. Nothing may be missing, and no committed offset
// may be ahead of what was written.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { KafkaTopics } from '../../e2e/kafka-records.ts'
import { type Kafka, startKafka } from '../../real/kafka.ts'
import { part } from '../../real/parts.ts'
import { Findings } from '../findings.ts'
import { pause } from '../flow.ts'
import { family } from '../machine.ts'
import { Arrivals } from './kafka-arrivals.ts'

export interface CopySize {
  readonly records: number
  /** Kills of single processes: children, executors and brokers in turns. */
  readonly kills: number
  /** kill -9 of the whole run, each followed by a look at the committed offsets. */
  readonly restarts: number
  readonly brokers: number
  readonly seed: number
}

const GEAR = fileURLToPath(new URL('../../../bin/gear', import.meta.url))
const EXAMPLE = fileURLToPath(
  new URL('../../../examples/kafka-to-kafka/topology.yaml', import.meta.url),
)
const GROUP = 'turners'
const FROM = 'lines'
const TO = 'turned'
const PARTITIONS = 8
const FILL_BATCH = 5000
const EXECUTORS = '3'
/** Of the topology: max.spout.pending of each of its two spout tasks, and the time between two commits. */
const PENDING = 2 * 500
const COMMIT_S = 1
/** Longest time without any record written. A message that was lost comes again after its timeout of 60 s. */
const STALL_MS = 180_000
/** Longest life of a run that is killed whatever it has done: starting takes about as long. */
const EARLY_KILL_MS = 4000

type Victim = 'child' | 'executor' | 'broker'
const VICTIMS: readonly Victim[] = ['child', 'executor', 'child', 'executor', 'broker']

/** One run under kills of its parts. */
export async function copyUnderKills(size: CopySize): Promise<Findings> {
  return withCopy(size, async (copy, findings) => {
    const startMs = performance.now()
    copy.start()
    for (let kill = 0; kill < size.kills; kill++) {
      await copy.written(((kill + 1) * size.records) / (size.kills + 1))
      await copy.kill(VICTIMS[kill % VICTIMS.length]!)
    }
    await copy.finished()
    const seconds = (performance.now() - startMs) / 1000
    const perSec = size.records / seconds
    findings.note('seconds', seconds)
    findings.note('per_s', perSec)
    // A kill takes what is under way; with the executor of a spout, what it had not committed too.
    findings.atMost('again', copy.again(), size.kills * (PENDING + 3 * COMMIT_S * perSec))
  })
}

/** Everything is killed again and again at random moments, some of them before the run has begun to write. */
export async function copyUnderRestarts(size: CopySize): Promise<Findings> {
  return withCopy(size, async (copy, findings) => {
    let early = 0
    let before = 0
    for (let round = 0; round < size.restarts; round++) {
      copy.start()
      if (copy.random() < 0.25) {
        early++
        await pause(copy.random() * EARLY_KILL_MS)
      } else {
        const share = size.records / (size.restarts + 2)
        await copy.written(Math.min(size.records, before + copy.random() * 2 * share))
      }
      copy.killAll()
      before = await copy.checkCommits(findings, round)
    }
    copy.start()
    await copy.finished()
    findings.note('restarts', size.restarts)
    findings.note('early', early)
    findings.note('again', copy.again())
  })
}

async function withCopy(
  size: CopySize,
  use: (copy: Copy, findings: Findings) => Promise<void>,
): Promise<Findings> {
  const found = part('kafka')
  if ('missing' in found) throw new Error(found.missing)
  const findings = new Findings()
  const kafka = await startKafka({ dir: found.dir, nodes: size.brokers })
  const copy = new Copy(kafka, await KafkaTopics.open(kafka), size)
  try {
    await copy.fill()
    await use(copy, findings)
    findings.note('records', size.records)
    for (const [victim, count] of copy.killed) findings.note(`killed_${victim}`, count)
    findings.atMost('missing', copy.missing(), 0)
    findings.atMost('wrong', copy.wrong(), 0)
  } finally {
    await copy.close()
    await kafka.stop()
  }
  return findings
}

class Copy {
  readonly random: () => number
  readonly killed = new Map<Victim, number>()
  readonly #kafka: Kafka
  readonly #topics: KafkaTopics
  readonly #size: CopySize
  readonly #dir = mkdtempSync(join(tmpdir(), 'gearpump-soak-'))
  readonly #arrivals: Arrivals
  #child: ChildProcess | undefined = undefined
  #said = ''

  constructor(kafka: Kafka, topics: KafkaTopics, size: CopySize) {
    this.#kafka = kafka
    this.#topics = topics
    this.#size = size
    this.random = seededRandom(size.seed)
    const { client } = topics
    this.#arrivals = new Arrivals({ client, topic: TO, partitions: PARTITIONS, each: this.#each })
  }

  get #each(): number {
    return Math.ceil(this.#size.records / PARTITIONS)
  }

  async fill(): Promise<void> {
    await this.#topics.create({ [FROM]: PARTITIONS, [TO]: PARTITIONS })
    for (let from = 0; from < this.#each; from += FILL_BATCH) {
      const count = Math.min(FILL_BATCH, this.#each - from)
      const all = Array.from({ length: PARTITIONS }, (_, p) =>
        this.#topics.append(FROM, p, { from, count }),
      )
      await Promise.all(all)
    }
    const servers = this.#kafka.brokers.join(',')
    const lines = { servers, from: FROM, to: TO, group: GROUP }
    const text = Object.entries(lines).map(([key, value]) => `kafka.${key}=${value}\n`)
    writeFileSync(join(this.#dir, 'properties'), text.join(''))
  }

  start(): void {
    const options = ['--executors', EXECUTORS, '--filter', join(this.#dir, 'properties')]
    const args = [GEAR, 'run', EXAMPLE, ...options, '--log-dir', this.#dir]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-2000)
    })
    this.#child = child
  }

  /** Until so many records lie in the destination; fails when nothing comes for long. */
  async written(count: number): Promise<void> {
    let last = -1
    let sinceMs = performance.now()
    for (;;) {
      const now = await this.#arrivals.total()
      if (now >= count) return
      if (now !== last) sinceMs = performance.now()
      last = now
      if (performance.now() - sinceMs > STALL_MS)
        throw new Error(
          `nothing was written for ${STALL_MS} ms, at ${now} of ${count}: ${this.#said}`,
        )
      await pause(50)
    }
  }

  async kill(victim: Victim): Promise<void> {
    this.killed.set(victim, (this.killed.get(victim) ?? 0) + 1)
    if (victim === 'broker') {
      const { nodes } = this.#kafka
      const node = nodes[Math.floor(this.random() * nodes.length)]!
      node.signal('SIGKILL')
      await pause(2000 + this.random() * 3000)
      await node.restart()
      return
    }
    const below = family(this.#child!.pid!).filter(({ pid }) => pid !== this.#child!.pid)
    const own = below.filter(({ name }) => name.startsWith('python') === (victim === 'child'))
    const chosen = own[Math.floor(this.random() * own.length)]
    // It may have been killed with its executor a moment ago, and not be back yet.
    if (chosen !== undefined) killHard(chosen.pid)
  }

  killAll(): void {
    const child = this.#child
    if (child === undefined) return
    for (const { pid } of family(child.pid!)) killHard(pid)
    this.#child = undefined
  }

  /** All is there, and committed. */
  async finished(): Promise<void> {
    const { records } = this.#size
    await this.written(records)
    const endMs = performance.now() + STALL_MS
    const isDone = async () =>
      (await this.#topics.committed(GROUP, FROM)).every(({ offset }) => offset === this.#each)
    while (!(await isDone())) {
      if (performance.now() > endMs) throw new Error(`not all is committed: ${this.#said}`)
      await pause(200)
    }
    await this.#arrivals.read()
  }

  /** What is below a committed offset was written. Returns how many records lie in the destination. */
  async checkCommits(findings: Findings, round: number): Promise<number> {
    const committed = await this.#topics.committed(GROUP, FROM)
    await this.#arrivals.read()
    for (const [partition, { offset }] of committed.entries()) {
      const missing = this.#arrivals.missing(partition, Math.max(0, offset))
      findings.expect(
        missing === 0,
        `round ${round}: ${FROM}-${partition} is committed up to ${offset}, and ${missing} below are not there`,
      )
    }
    return this.#arrivals.total()
  }

  missing(): number {
    return Array.from({ length: PARTITIONS }, (_, p) =>
      this.#arrivals.missing(p, this.#each),
    ).reduce((a, b) => a + b)
  }

  again(): number {
    return this.#arrivals.again
  }

  wrong(): number {
    return this.#arrivals.wrong
  }

  async close(): Promise<void> {
    this.killAll()
    await this.#topics.close()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}
