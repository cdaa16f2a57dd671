// Sources and tasks that tests of the data plane are made of.
import type { Hold, Source, SourceContext, Task, TaskContext } from 'gearpump'

/** Emits 0 to n - 1 with the number as id, `batch` per call, and emits again what failed. */
export class Numbers implements Source<number> {
  readonly done_: number[] = []
  readonly failed: number[] = []
  calls = 0
  emitted = 0
  readonly #queue: number[]
  readonly #batch: number
  readonly #ends: boolean

  constructor(n: number, options: { batch?: number; ends?: boolean } = {}) {
    this.#queue = Array.from({ length: n }, (_, i) => i)
    this.#batch = options.batch ?? 1
    this.#ends = options.ends ?? true
  }

  next(out: SourceContext<number>): boolean | 'end' {
    this.calls++
    for (let i = 0; i < this.#batch; i++) {
      const id = this.#queue.shift()
      if (id === undefined)
        return this.#ends && this.done_.length === this.emitted - this.failed.length ? 'end' : false
      this.emitted++
      out.output(id, id)
    }
    return true
  }

  done(id: unknown): void {
    this.done_.push(id as number)
  }

  fail(id: unknown): void {
    this.failed.push(id as number)
    this.#queue.push(id as number)
  }
}

/** Never ends: 0, 1, 2… Counts what it emits and how it is told. */
export class Endless implements Source<number> {
  emitted = 0
  acked = 0
  failed = 0
  readonly #tracked: boolean

  constructor(tracked = true) {
    this.#tracked = tracked
  }

  next(out: SourceContext<number>): boolean {
    const id = this.emitted++
    out.output(id, this.#tracked ? id : undefined)
    return true
  }

  done(): void {
    this.acked++
  }

  fail(): void {
    this.failed++
  }
}

export const pass = <T>(): Task<T, T> => ({ onNext: (value, context) => context.output(value) })

/** Keeps what it gets. */
export class Sink<T> implements Task<T, never> {
  readonly got: T[]

  constructor(got: T[] = []) {
    this.got = got
  }

  onNext(value: T): void {
    this.got.push(value)
  }
}

/** Holds its inputs until the test lets go. */
export class Holder<T> implements Task<T, never> {
  readonly held: { value: T; hold: Hold }[]

  constructor(held: { value: T; hold: Hold }[] = []) {
    this.held = held
  }

  onNext(value: T, context: TaskContext<never>): void {
    this.held.push({ value, hold: context.hold() })
  }
}

/** A task that takes no input to its end while the gate is shut: `onNext` waits for it. */
export class Valve<T> implements Task<T, T> {
  #open: Promise<void>
  #release: () => void = () => undefined
  taken = 0

  constructor() {
    this.#open = new Promise(resolve => {
      this.#release = resolve
    })
  }

  open(): void {
    this.#release()
  }

  async onNext(value: T, context: TaskContext<T>): Promise<void> {
    this.taken++
    await this.#open
    context.output(value)
  }
}
