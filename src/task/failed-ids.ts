// Which ids failed and were not done since: the answer to "was every message processed in the end?". Bounded.

/** About 100 MB of short strings; a run that fails more ids at once is called failed. */
const IDS_MAX = 1_000_000

export class FailedIds {
  // Made with the first of them: of many sources most fail nothing.
  #ids: Set<unknown> | undefined = undefined
  /** Whether any id is kept: a plain field, looked at once per root. */
  any = false
  /** More failed than could be remembered: the answer is no. */
  overflowed = false

  get size(): number {
    return this.#ids?.size ?? 0
  }

  failed(id: unknown): void {
    this.#ids ??= new Set()
    if (this.#ids.size >= IDS_MAX) this.overflowed = true
    else this.#ids.add(keyOf(id))
    this.any = true
  }

  done(id: unknown): void {
    this.#ids?.delete(keyOf(id))
    this.any = this.size > 0
  }
}

// Plain data may be used as an id; two equal ones are the same id though they are different objects. One in a wrapper is what is in
// it. An instance of a class is itself: it may be part of much, or of a circle.
function keyOf(wrapped: unknown): unknown {
  const id = (wrapped as Partial<object> | null | undefined)?.valueOf?.() ?? wrapped
  if (typeof id !== 'object' || id === null || !isPlain(id)) return id
  try {
    return `json ${JSON.stringify(id, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`
  } catch {
    // It contains itself, or something that does not let itself be written: it is the same as itself only.
    return id
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}
