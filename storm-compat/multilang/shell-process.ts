// The seam between a shell component and its process: what is asked of the process and what it tells. The real one is
// child-process.ts, the one for tests fake-child.ts.
import type { ShellClock } from './clock.ts'

/** How many of its last stderr lines are kept for the report of a child's death. */
export const STDERR_LINES_KEPT = 50

export interface ShellCommand {
  /** Exactly the argv: no shell, no splitting. */
  readonly command: readonly string[]
  /** Added to our own environment; PATH is appended to ours. */
  readonly env: Readonly<Record<string, string>>
  /** Run in the topology's resources (true), or where we run. */
  readonly changeChildCwd: boolean
}

export interface ShellSpawnOptions extends ShellCommand {
  readonly resources: string
  /** This child's own directory for pid files. Made by the spawner if missing. */
  readonly pidDir: string
  readonly clock: ShellClock
}

export interface ShellExit {
  readonly code: number | null
  readonly signal: string | null
  readonly stderrTail: readonly string[]
}

export interface ShellProcessEvents {
  /** A chunk of stdout. */
  output(chunk: Buffer): void
  /** Everything written has been taken by the child's pipe. */
  drained(): void
  stderrLine(line: string): void
  /** The process has ended and all its output was told. Told exactly once, unless startFailed was. */
  ended(exit: ShellExit): void
  /** There is no process: the program was not found or must not be run. Told exactly once, then nothing else. */
  startFailed(error: Error): void
}

export interface ShellProcess {
  readonly pid: number | undefined
  /** Writes to stdin; never throws, not even after the child's death. */
  write(data: string | Buffer): void
  /** Bytes written but not yet taken by the pipe. */
  readonly unwrittenBytes: number
  /** Stops and resumes the reading of stdout. */
  pause(paused: boolean): void
  /** Ends the process and everything it started: asked first, then by force. Resolves when all is gone. */
  stop(): Promise<void>
}

/** Starts a process. May throw, which counts as `startFailed`; events are told later, never from within the call. */
export type SpawnShell = (options: ShellSpawnOptions, events: ShellProcessEvents) => ShellProcess
