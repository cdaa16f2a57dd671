// One who wants to be told of an end: told at most once, and not at all after a cancel.

import type { OnDown, Watch } from './actor.ts'

export class Watcher implements Watch {
  #onDown: OnDown | undefined
  readonly #forget: (() => void) | undefined

  /** `forget` is called when it has ended, either way. */
  constructor(onDown: OnDown, forget?: () => void) {
    this.#onDown = onDown
    this.#forget = forget
  }

  tell(reason: string): void {
    const onDown = this.#take()
    onDown?.(reason)
  }

  cancel(): void {
    this.#take()
  }

  #take(): OnDown | undefined {
    const onDown = this.#onDown
    if (onDown === undefined) return undefined
    this.#onDown = undefined
    this.#forget?.()
    return onDown
  }
}
