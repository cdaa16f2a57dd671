// When a record that failed is emitted again: Storm's exponential back-off, and the queue of those that wait. Pure:
// the caller has the clock. Records stay in memory while they wait, so a retry asks no broker and cannot find its
// record compacted away.

/** KafkaSpoutRetryExponentialBackoff. */
export interface RetryPolicy {
  /** Wait after the first failure. */
  readonly initialDelayMs: number
  /** After failure n the wait is this, times 2^(n-1). */
  readonly delayPeriodMs: number
  /** Further failures count as finished. */
  readonly maxRetries: number
  readonly maxDelayMs: number
}

/** Java's Integer.MAX_VALUE, which stands for: never give up. */
export const RETRIES_UNLIMITED = 2_147_483_647

export const STORM_RETRY: RetryPolicy = {
  initialDelayMs: 0,
  delayPeriodMs: 2,
  maxRetries: RETRIES_UNLIMITED,
  maxDelayMs: 10_000,
}

/** Wait before the next try after `failures` failures (1, 2, …); undefined: no more tries. */
export function retryDelayMs(policy: RetryPolicy, failures: number): number | undefined {
  if (failures > policy.maxRetries) return undefined
  const delayMs =
    failures === 1 ? policy.initialDelayMs : policy.delayPeriodMs * 2 ** (failures - 1)
  return Math.min(delayMs, policy.maxDelayMs)
}

interface Waiting<T> {
  readonly dueMs: number
  /** Those of one time come out in the order in which they went in. */
  readonly order: number
  readonly item: T
}

/** A heap by time. Its size is bounded by the records under way. */
export class RetryQueue<T> {
  readonly #heap: Waiting<T>[] = []
  #added = 0

  get size(): number {
    return this.#heap.length
  }

  /** When the next one is due; undefined if none waits. */
  get nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs
  }

  add(item: T, dueMs: number): void {
    const heap = this.#heap
    const waiting = { dueMs, order: this.#added++, item }
    let at = heap.length
    heap.push(waiting)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(waiting, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = waiting
  }

  /** The one that is due longest, or undefined if none is due. */
  take(nowMs: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.dueMs > nowMs) return undefined
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) this.#sink(last)
    return first.item
  }

  #sink(waiting: Waiting<T>): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, waiting)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = waiting
  }
}

function isBefore<T>(a: Waiting<T>, b: Waiting<T>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}
