// What every runner of an executor shares, passed in once.
import type { Environment } from '../base/environment.ts'
import type { LogLine } from '../base/log.ts'
import type { SlotLedger } from '../progress/slot-ledger.ts'
import type { CycleGuard } from './flow.ts'
import type { Profile } from './profile.ts'
import type { RunLoop } from './run-loop.ts'
import type { Credentials } from './task.ts'

export interface RunnerHost {
  readonly environment: Environment
  readonly loop: RunLoop
  readonly ledger: SlotLedger
  readonly profile: Profile
  readonly cycleGuard: CycleGuard
  readonly executorId: number
  /** Where the 32-bit counters of sessions begin; 0 if not given. Simulations begin near the wrap. */
  readonly firstNumber?: number
  /** Secrets of the application, as given last. */
  readonly credentials?: Credentials
  /** Last published app clock, µs. */
  appClockUs: number
  /** Tells the operator; never throws. */
  report(taskId: number, error: Error): void
  /** A line of a component's own. */
  log(taskId: number, level: LogLine['level'], text: string): void
  /** A figure of a component's own: the last value given under its name is kept. */
  metric(taskId: number, name: string, value: unknown): void
  /** A message that came over a link (`origin` > 0) was taken by its task: credit goes back. */
  consumed(origin: number): void
}
