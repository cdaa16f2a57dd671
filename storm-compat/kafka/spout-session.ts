// The background of an open Kafka spout: keeps the partitions true, has them read, commits what is finished, and says
// what goes wrong. No failure of a broker ends it; it is told once, again when it lasts, and tried again with a
// growing wait.

import type { FetchedPartition, KafkaClient } from 'gearpump/kafka'
import { asError, EngineError } from 'gearpump/spi'
import type { LogLevel } from '../component/api.ts'
import type { ShellClock } from '../multilang/clock.ts'
import { OffsetCommits } from './offset-commits.ts'
import { type KeeperTask, PartitionKeeper, type RemadePartition } from './partition-keeper.ts'
import { PeriodicTask } from './periodic-task.ts'
import type { RecordEmitter } from './record-emitter.ts'
import { RecordReader } from './record-reader.ts'
import type { KafkaSpoutSettings } from './spout-options.ts'
import type { SpoutPartition } from './spout-partition.ts'

export interface SessionParts {
  readonly clock: ShellClock
  readonly emitter: RecordEmitter
  readonly task: KeeperTask
  report(error: Error): void
  log(level: LogLevel, text: string): void
}

/** The same trouble is told again after this. */
const REPORT_AGAIN_MS = 30_000
/** A commit that failed is not asked for again sooner, whatever is at its limit. */
const COMMIT_REST_MS = 1000
/** Leaders are not asked for more often than this. */
const MOVED_REST_MS = 250
/** Nothing changes quickly where a right is missing, and too many wrong passwords lock a user out. */
const REFUSED_REST_MS = 15_000
/** A commit that somebody waits for waits no longer for a broker. */
const LAST_COMMIT_MS = 5000

export class SpoutSession {
  readonly #client: KafkaClient
  readonly #settings: KafkaSpoutSettings
  readonly #parts: SessionParts
  readonly #keeper: PartitionKeeper
  readonly #commits: OffsetCommits
  readonly #reader: RecordReader
  readonly #refreshing: PeriodicTask
  readonly #committing: PeriodicTask
  /** By what it is about: when it was told last. */
  readonly #told = new Map<string, number>()
  #commitFailedMs = Number.NEGATIVE_INFINITY
  #refreshedMs = Number.NEGATIVE_INFINITY
  #refusedMs = Number.NEGATIVE_INFINITY
  #isStarted = false
  #isEnding = false

  constructor(client: KafkaClient, settings: KafkaSpoutSettings, parts: SessionParts) {
    const { clock, task, emitter } = parts
    this.#client = client
    this.#settings = settings
    this.#parts = parts
    this.#keeper = new PartitionKeeper(client, settings, task)
    this.#commits = new OffsetCommits(client, {
      groupId: settings.groupId,
      metadata: task.metadata,
    })
    const isAhead = settings.guarantee === 'AT_MOST_ONCE'
    this.#reader = new RecordReader(client, settings.fetch, {
      clock,
      waiting: this.#keeper.waiting,
      rules: {
        hasRoom: partition => emitter.hasRoom(partition),
        beforeRecords: isAhead ? positions => this.#commits.commitAhead(positions) : undefined,
        onProblem: (partition, problem) => this.#onProblem(partition, problem),
        onMoved: () => this.#onMoved(),
        report: (about, error) => this.#report(about, error),
      },
    })
    const { partitionRefreshPeriodMs, offsetCommitPeriodMs } = settings
    this.#refreshing = new PeriodicTask(clock, partitionRefreshPeriodMs, () => this.#refresh())
    this.#committing = new PeriodicTask(clock, offsetCommitPeriodMs, () => this.#commitNow())
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.#refreshing.soon()
    if (this.#settings.guarantee !== 'AT_MOST_ONCE') this.#committing.rest()
  }

  /** Commits what is finished; a failure is reported. It waits for a broker, but not for long. */
  async commit(): Promise<void> {
    if (this.#settings.guarantee === 'AT_MOST_ONCE') return
    await new Promise<void>(resolve => {
      const cancel = this.#parts.clock.after(LAST_COMMIT_MS, resolve)
      void this.#commitNow().then(() => {
        cancel()
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    await this.commit()
    this.#isEnding = true
    // Closing the client ends what is under way, so that the loops can end.
    const ends = [this.#reader.close(), this.#refreshing.stop(), this.#committing.stop()]
    await this.#client.close()
    await Promise.all(ends)
  }

  async #refresh(): Promise<void> {
    if (this.#parts.clock.nowMs() - this.#refusedMs < REFUSED_REST_MS) return
    try {
      const { gained, lost, missing, remade } = await this.#keeper.refresh(gone =>
        this.#commits.commit(gone),
      )
      this.#refreshedMs = this.#parts.clock.nowMs()
      for (const topic of missing) {
        this.#report(
          `topic ${topic}`,
          new Error(`there is no topic "${topic}" in this Kafka cluster`),
        )
      }
      this.#told.delete('partitions')
      for (const one of remade) await this.#beginAnew(one)
      if (gained + lost > 0) this.#sayPartitions()
      this.#readAll()
    } catch (thrown) {
      const error = asError(thrown)
      if (error instanceof EngineError && error.code === 'KAFKA_REFUSED')
        this.#refusedMs = this.#parts.clock.nowMs()
      this.#report('partitions', error)
    }
  }

  #readAll(): void {
    const { partitions } = this.#keeper
    this.#parts.emitter.setPartitions(partitions, {
      onRoom: () => this.#reader.wake(),
      onLimit: () => this.#onLimit(),
    })
    this.#reader.read(partitions)
  }

  #sayPartitions(): void {
    const names = this.#keeper.partitions.map(p => `${p.name} from ${p.ledger.end}`)
    const shown = names.slice(0, 20).join(', ')
    const more = names.length > 20 ? ` and ${names.length - 20} more` : ''
    this.#parts.log('info', `group ${this.#settings.groupId} reads ${shown || 'nothing'}${more}`)
  }

  #onLimit(): void {
    if (this.#parts.clock.nowMs() - this.#commitFailedMs >= COMMIT_REST_MS) {
      void this.#committing.soon()
    }
  }

  #onMoved(): void {
    if (this.#parts.clock.nowMs() - this.#refreshedMs >= MOVED_REST_MS) void this.#refreshing.soon()
  }

  async #commitNow(): Promise<void> {
    try {
      await this.#commits.commit(this.#keeper.partitions)
      this.#told.delete('commit')
      this.#reader.wake()
    } catch (error) {
      this.#commitFailedMs = this.#parts.clock.nowMs()
      this.#report('commit', asError(error))
    }
  }

  #onProblem(partition: SpoutPartition, { kind, error }: Problem): void {
    if (kind === 'out-of-range') void this.#startAgain(partition, error)
    else if (kind === 'gone') this.#onMoved()
    else this.#report(`partition ${partition.name}`, error)
  }

  // As `auto.offset.reset` says; Storm's default for AT_LEAST_ONCE is the earliest record that is left.
  async #startAgain(partition: SpoutPartition, error: EngineError): Promise<void> {
    const { onOutOfRange } = this.#settings.fetch
    if (onOutOfRange === 'none') {
      this.#report(`partition ${partition.name}`, error)
      return
    }
    const { fetchOffset } = partition
    // Is it the same topic at all?
    await this.#refreshing.soon()
    if (partition.ledger.isClosed || partition.restUntilMs === Number.POSITIVE_INFINITY) return
    try {
      const [found] = await this.#client.offsets(onOutOfRange, [partition])
      if (found === undefined || partition.ledger.isClosed) return
      // The same trouble may have been seen twice while a broker took its time: it was met already.
      if (partition.fetchOffset !== fetchOffset) return
      this.#report(
        `partition ${partition.name}`,
        offsetGone(partition.name, fetchOffset, found.offset),
      )
      if (found.offset >= fetchOffset) partition.jumpTo(found.offset)
      else {
        this.#keeper.restart(partition, found.offset)
        this.#readAll()
      }
    } catch (thrown) {
      this.#report(`partition ${partition.name}`, asError(thrown))
    }
  }

  // The name means another topic than before, so all that was known of the partition counts no more.
  async #beginAnew({ partition, topicId }: RemadePartition): Promise<void> {
    const { onOutOfRange } = this.#settings.fetch
    const [found] =
      onOutOfRange === 'none' ? [] : await this.#client.offsets(onOutOfRange, [partition])
    const about = `partition ${partition.name}`
    this.#report(about, topicRemade(partition.name, partition.fetchOffset, found?.offset))
    if (found !== undefined) this.#keeper.restart(partition, found.offset, topicId)
  }

  #report(about: string, error: Error): void {
    const nowMs = this.#parts.clock.nowMs()
    const last = this.#told.get(about)
    if (this.#isEnding) return
    if (last !== undefined && nowMs - last < REPORT_AGAIN_MS) return
    this.#told.set(about, nowMs)
    this.#parts.report(error)
  }
}

type Problem = NonNullable<FetchedPartition['problem']>

function offsetGone(name: string, from: number, to: number): EngineError {
  const what =
    to > from
      ? `the records ${from} to ${to - 1} are not there any more`
      : `the partition ends before offset ${from}, so the topic was made anew`
  return new EngineError('KAFKA_OFFSET_GONE', `${name}: ${what}; it goes on at ${to}`, {
    hint: 'let records be kept longer than a topology may stand still; auto.offset.reset chooses where it goes on',
    details: { partition: name, from, to },
  })
}

function topicRemade(name: string, from: number, to: number | undefined): EngineError {
  const next = to === undefined ? 'nothing more of it is read' : `it goes on at ${to}`
  return new EngineError(
    'KAFKA_OFFSET_GONE',
    `${name}: the topic was deleted and made anew, so offset ${from} of the former one says nothing; ${next}`,
    {
      hint: 'auto.offset.reset chooses where it goes on; what was not read of the former topic is gone with it',
      details: { partition: name, from, to },
    },
  )
}
