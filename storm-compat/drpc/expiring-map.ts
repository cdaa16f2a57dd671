// A map whose entries leave by themselves when nobody removes them: after one to two times its period, and the oldest first when
// there are too many. It looks at the clock when it is used and needs no timer. For what is kept per request, whose end a bolt
// does not always hear of.

interface Expiry<K, V> {
  readonly periodMs: number
  readonly entriesMax: number
  readonly nowMs: () => number
  readonly onExpire?: (key: K, value: V) => void
}

export class ExpiringMap<K, V> {
  readonly #expiry: Expiry<K, V>
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  #rotatedMs: number

  constructor(expiry: Expiry<K, V>) {
    this.#expiry = expiry
    this.#rotatedMs = expiry.nowMs()
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  /** Adds or replaces; an entry that is set lives anew. */
  set(key: K, value: V): void {
    this.#rotate()
    this.#old.delete(key)
    this.#young.set(key, value)
    if (this.size > this.#expiry.entriesMax) this.#dropOldest()
  }

  delete(key: K): boolean {
    return this.#young.delete(key) || this.#old.delete(key)
  }

  /** All of now, the oldest first. */
  values(): V[] {
    return [...this.#old.values(), ...this.#young.values()]
  }

  #rotate(): void {
    const { periodMs, nowMs } = this.#expiry
    const elapsedMs = nowMs() - this.#rotatedMs
    if (elapsedMs < periodMs) return
    this.#rotatedMs = nowMs()
    // After a long silence the young ones are old enough as well.
    const expired = elapsedMs < 2 * periodMs ? [...this.#old] : [...this.#old, ...this.#young]
    this.#old = elapsedMs < 2 * periodMs ? this.#young : new Map()
    this.#young = new Map()
    for (const [key, value] of expired) this.#expiry.onExpire?.(key, value)
  }

  #dropOldest(): void {
    const from = this.#old.size > 0 ? this.#old : this.#young
    for (const [key, value] of from) {
      from.delete(key)
      this.#expiry.onExpire?.(key, value)
      return
    }
  }
}
