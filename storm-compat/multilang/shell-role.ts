// What the host of a shell component runs (a bolt's or a spout's protocol), and what it is given to run it with.
import type { ShellClock } from './clock.ts'
import type { ShellMessage } from './commands.ts'
import type { SpawnShell } from './shell-process.ts'

/** For tests, and for hosts with another idea of processes and time. */
export interface ShellDependencies {
  readonly spawn: SpawnShell
  readonly clock: ShellClock
}

/** What the host runs: the protocol of a bolt or a spout. */
export interface ShellRole {
  /** A new process has shaken hands. */
  started(): void
  /** A command other than log, error and metrics. Throws EngineError to have the process ended. */
  command(command: string, message: ShellMessage): void
  /** Adds what may be written now; true when there is more. Only called while the pipe takes bytes. */
  fill(): boolean
  /** Since when the child owes a sign of life; undefined when it owes none. */
  owesSinceMs(): number | undefined
  /** Called each second while the child is up. */
  beat(nowMs: number): void
  /** The process is no more, or is being ended: nothing it held will be answered. */
  lost(): void
}
