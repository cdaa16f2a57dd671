// What a case is: a name, a sentence, and how it runs in a process of its own. It answers one or more lines; one that
// cannot run here answers a line that says why.
import type { Row, Timing } from './measure.ts'

export interface Case {
  readonly name: string
  readonly about: string
  run(timing: Timing): Promise<readonly Row[]>
}

/** The line of a case that cannot run here. */
export function skipped(name: string, reason: string): readonly Row[] {
  return [{ case: name, skipped: reason }]
}
