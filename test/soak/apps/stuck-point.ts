// The one input that a task does not let go: happens once in a run, and leaves a file that says so.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FLAGS, type FlowInput } from '../flow.ts'

export class StuckPoint {
  readonly #from: number
  #over = false

  constructor({ from }: { readonly from: number }) {
    this.#from = from
  }

  /** True once: at the first input from that number on. */
  reached(n: number): boolean {
    if (this.#over || n < this.#from) return false
    this.#over = true
    return true
  }
}

export function noteStuck({ dir }: FlowInput): void {
  writeFileSync(join(dir, FLAGS.stuck), '')
}
