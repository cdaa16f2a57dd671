// Waits until an application has nothing left to do, by looking again and again; the same for one in this process and one
// in a cluster.
import type { Environment } from '../base/environment.ts'

/** A source that is silent for so long has nothing, unless told otherwise. */
export const DEFAULT_IDLE_MS = 3000

export interface Quiet {
  readonly environment: Environment
  /** How often to look, ms. */
  readonly periodMs: number
  /** No longer than this; Infinity = for ever. */
  readonly timeoutMs: number
  /** False: it has ended in another way, and there is nothing to wait for. */
  readonly runs: () => boolean
  readonly isQuiet: () => Promise<boolean>
}

export async function untilQuiet(quiet: Quiet): Promise<void> {
  const { environment, periodMs, timeoutMs, runs, isQuiet } = quiet
  const deadlineMs = environment.monotonicMs() + timeoutMs
  while (runs()) {
    if (await isQuiet()) return
    if (environment.monotonicMs() >= deadlineMs) return
    await new Promise<void>(resolve => void environment.after(periodMs, resolve))
  }
}
