// What is on its way to one partition: records that wait, and one batch at the broker. While one is there the next one grows, so the
// more comes in the fewer requests it takes. Inputs are let go when the broker has acknowledged their batch; what is refused for good
// fails its own inputs only.
import { asError } from 'gearpump/spi'
import type { KafkaClient, ProducedRecord, TopicPartition } from './client.ts'
import { brokerErrorName, isRetriable } from './kafka-errors.ts'
import { recordBytes } from './wire/record-batch.ts'

/** Wait before a batch is sent again by the sink, after the client has given up; doubled each time up to a bound. */
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 5000
const TOO_LARGE = new Set<unknown>(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** What waits for a record to be written: a hold of the engine, or the like. */
export interface OutboxHold {
  readonly open: boolean
  release(): void
  fail(): void
}

interface Waiting {
  readonly record: ProducedRecord
  readonly hold: OutboxHold
  readonly bytes: number
}

export interface OutboxParts {
  readonly client: KafkaClient
  readonly batchBytes: number
  readonly lingerMs: number
  /** Calls `fn` after `delayMs`, on any turn. */
  after(delayMs: number, fn: () => void): { cancel(): void }
  report(error: Error): void
  /** So many bytes are not kept any more. */
  freed(bytes: number): void
}

export class PartitionOutbox {
  readonly at: TopicPartition
  readonly #parts: OutboxParts
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #sending: Promise<void> | undefined = undefined
  #linger: { cancel(): void } | undefined = undefined
  #failures = 0
  #stopping = false
  /** Ends the wait for another try. */
  #hurry: () => void = () => undefined

  constructor(at: TopicPartition, parts: OutboxParts) {
    this.at = at
    this.#parts = parts
  }

  /** Bytes that wait for the next batch. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Returns its weight. */
  add(record: ProducedRecord, hold: OutboxHold): number {
    const bytes = recordBytes(record)
    this.#waiting.push({ record, hold, bytes })
    this.#waitingBytes += bytes
    if (this.#sending !== undefined) return bytes
    if (this.#waitingBytes >= this.#parts.batchBytes || this.#stopping) this.#start()
    else this.#linger ??= this.#parts.after(this.#parts.lingerMs, () => this.#start())
    return bytes
  }

  /** Sends what waits, and resolves when nothing is under way any more. After this nothing is tried again. */
  async finish(): Promise<void> {
    this.#stopping = true
    this.#hurry()
    if (this.#waiting.length > 0) this.#start()
    while (this.#sending !== undefined) await this.#sending
  }

  #start(): void {
    this.#linger?.cancel()
    this.#linger = undefined
    if (this.#sending !== undefined) return
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined
      // What came between the last batch and this.
      if (this.#waiting.length > 0) this.#start()
    })
  }

  // Sends batch after batch until nothing waits. Never rejects.
  async #send(): Promise<void> {
    while (this.#waiting.length > 0) await this.#deliver(this.#nextBatch())
  }

  #nextBatch(): Waiting[] {
    const { batchBytes } = this.#parts
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length) {
      bytes += this.#waiting[count]!.bytes
      if (count > 0 && bytes > batchBytes) break
      count++
    }
    const batch = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count)
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count)
    for (const one of batch) this.#waitingBytes -= one.bytes
    return batch
  }

  // Until all of it is at the broker, or was refused.
  async #deliver(batch: readonly Waiting[]): Promise<void> {
    let left = batch
    for (;;) {
      left = this.#openOnes(left)
      if (left.length === 0) return
      try {
        const records = left.map(one => one.record)
        await this.#parts.client.produce({ ...this.at, records })
        this.#failures = 0
        for (const { hold, bytes } of left) {
          this.#parts.freed(bytes)
          hold.release()
        }
        return
      } catch (error) {
        if (await this.#refused(left, error)) return
      }
    }
  }

  // True: this batch is dealt with. False: try again.
  async #refused(batch: readonly Waiting[], thrown: unknown): Promise<boolean> {
    const error = asError(thrown)
    if (TOO_LARGE.has(brokerErrorName(thrown)) && batch.length > 1) {
      const middle = batch.length >> 1
      await this.#deliver(batch.slice(0, middle))
      await this.#deliver(batch.slice(middle))
      return true
    }
    const again = isRetriable(thrown) && !this.#stopping
    const times = ++this.#failures
    if (!again || (times & (times - 1)) === 0) this.#parts.report(error)
    if (again) {
      await this.#wait(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (times - 1)))
      return false
    }
    for (const { hold, bytes } of batch) {
      this.#parts.freed(bytes)
      hold.fail()
    }
    return true
  }

  // Inputs that took too long have failed meanwhile: they come again, and need not be written twice.
  #openOnes(batch: readonly Waiting[]): readonly Waiting[] {
    if (batch.every(one => one.hold.open)) return batch
    for (const { hold, bytes } of batch) if (!hold.open) this.#parts.freed(bytes)
    return batch.filter(one => one.hold.open)
  }

  #wait(delayMs: number): Promise<void> {
    if (this.#stopping) return Promise.resolve()
    return new Promise(resolve => {
      const timer = this.#parts.after(delayMs, resolve)
      this.#hurry = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
