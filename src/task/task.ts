// What a user writes: a task handles one message at a time, a source brings messages in. And what they are given:
// the context. Everything a task may rely on (order, anchoring, who is parked when) is said here.
import type { Slot } from '../progress/slot-ledger.ts'
import type { Hold } from './hold.ts'

/** Secrets of an application, by name; never shown and never logged. */
export type Credentials = Readonly<Record<string, string>>

/** One parallel instance of a processor. All methods run on the task's own turn, never two at a time. */
export interface Task<In = unknown, Out = never> {
  onStart?: (context: TaskContext<Out>) => void | Promise<void>
  /**
   * Handles one message. What it emits is anchored to the message; the message is released when this returns or its
   * promise resolves (only this task waits for it), and failed when it throws: its roots then fail at their sources.
   * Messages of one (source task, target task) pair come in the order in which they were emitted.
   */
  onNext: (value: In, context: TaskContext<Out>) => void | Promise<void>
  /** A message from `context.self`. */
  onMessage?: (message: unknown, context: TaskContext<Out>) => void | Promise<void>
  /** The app clock, in µs since 1970, has moved on: every root emitted before it has ended. */
  onClock?: (clockUs: number, context: TaskContext<Out>) => void
  /** The application was given other secrets; `context.credentials` has them too. */
  onCredentials?: (credentials: Credentials, context: TaskContext<Out>) => void | Promise<void>
  onStop?: () => void | Promise<void>
  /** Counts of its own, see `Tally`. Asked between messages, some times a second. */
  tally?: () => Tally
  /** Asks for `context.sourceTask` and `context.edge` to be kept per message. */
  readonly needsOrigin?: boolean
}

/**
 * What a task counts beside what the engine counts: numbers that only grow, whose meaning the task alone knows. Each task
 * of a processor gives as many; they are shown per task, and summed per processor.
 */
export type Tally = readonly number[]

/** Brings messages in. A source that wants to replay keeps what it emitted until `done` is told for its id. */
export interface Source<Out = unknown> {
  open?: (context: SourceContext<Out>) => void | Promise<void>
  /**
   * Emits some messages through `out` and returns: true = ask again soon; false = nothing now (asked again after a
   * growing wait, or at `context.wake()`); 'end' = there will be no more, unless one fails: then it is asked
   * again. A promise parks only this source.
   */
  next: (out: SourceContext<Out>) => boolean | 'end' | Promise<boolean | 'end'>
  /** The message emitted with `id`, and all it caused, is finished. Told on the source's own turn. */
  done?: (id: unknown) => void | Promise<void>
  /** Something that the message emitted with `id` caused has failed, was lost, or took too long. Emit it again. */
  fail?: (id: unknown) => void | Promise<void>
  /**
   * Where this source stands, as plain data (what JSON can carry). A source task opened with it as `context.position`
   * emits again every message that was not told done by now. Asked on the source's own turn, at most once a second while
   * anything changes, and once before `close`. Undefined = nothing to keep yet.
   */
  position?: () => unknown
  /** Counts of its own, see `Tally`. Asked between messages, some times a second. */
  tally?: () => Tally
  /** The run is paused (false) or goes on (true): `next` is not called in between. */
  onActive?: (active: boolean) => void | Promise<void>
  /** As for a task. */
  onCredentials?: (credentials: Credentials, context: SourceContext<Out>) => void | Promise<void>
  close?: () => void | Promise<void>
}

export interface Place {
  /** Id of this task, unique in the application, from 1. */
  readonly taskId: number
  readonly processor: string
  /** Position among the tasks of its processor, from 0. */
  readonly index: number
  readonly parallelism: number
  readonly executorId: number
  /** The application's settings overlaid by the processor's. */
  readonly config: Readonly<Record<string, unknown>>
}

/** What a task tells the people who run it. */
export interface Secrets {
  /** As given last; empty if there are none. */
  readonly credentials: Credentials
}

export interface Telling {
  /** Tells of an error without failing anything. */
  report(error: Error): void
  /** Writes a line under this task's name. */
  log(level: 'trace' | 'debug' | 'info' | 'warn' | 'error', text: string): void
  /** Keeps a figure under this processor's name; plain data. */
  metric(name: string, value: unknown): void
}

export interface Timers {
  /** Calls `fn` on the task's own turn each `periodMs`, until cancelled. */
  schedule(periodMs: number, fn: () => void): { cancel(): void }
  /** Calls `fn` on the task's own turn once, after `delayMs`. */
  scheduleOnce(delayMs: number, fn: () => void): { cancel(): void }
}

export interface TaskContext<Out = unknown> extends Place, Timers, Telling, Secrets {
  /** Emits on `port` (default `default`), anchored to the current input; untracked outside `onNext`. */
  output(value: Out, port?: string): void
  /** Emits to one task of a consumer by its task id, whatever the partitioner of the edge. */
  outputTo(taskId: number, value: Out, port?: string): void
  /** Sends a message to this task itself: `onMessage` gets it on a later turn. */
  self(message: unknown): void
  /** Keeps the current input beyond `onNext`; the holder lets go exactly once, by `release` or `fail`. */
  hold(): Hold
  /** Resolves when every consumer has room again. For a task that emits much from one input. */
  ready(): Promise<void>
  /** The app clock as last published, µs since 1970: every root emitted before it has ended. */
  readonly upstreamClock: number
  /** Task id of the emitter of the current input; 0 unless the task asked by `needsOrigin`. */
  readonly sourceTask: number
  /** Id of the edge the current input came by; -1 unless the task asked by `needsOrigin`. */
  readonly edge: number
}

export interface SourceContext<Out = unknown> extends Place, Timers, Telling, Secrets {
  /**
   * Emits a root on `port`. With an id (neither undefined nor null) it is tracked: `done(id)` or `fail(id)` is told
   * once, on a later turn. The same id may be in flight more than once.
   */
  output(value: Out, id?: unknown, port?: string): void
  /** Asks for `next` now although the source had said that there is nothing. May be called at any time. */
  wake(): void
  /** Whether the run is active: while it is not, `next` is not called. */
  readonly active: boolean
  readonly upstreamClock: number
  /** The position that was stored last for this source task; undefined at its very first start. */
  readonly position: unknown
}

/** Translation layers and connectors: finer control than `output`. */
export interface Emitting {
  /** The outlet of a port, or undefined when nothing listens there. Fixed for the life of the task. */
  outlet(port: string): Outlet | undefined
}

/** What decides where a message goes: nothing (it is always the same tasks), whose turn it is, or the message itself. */
export type Targeting = 'always' | 'turns' | 'message'

export interface Outlet {
  /** Emits under `slot` (0 = untracked). Returns the target's task id, -1 for none, -2 for several: see `targets`. */
  emit(value: unknown, slot: Slot): number
  /** Emits to one task. Returns false when the task consumes nothing from this port. */
  emitTo(taskId: number, value: unknown, slot: Slot): boolean
  /** Task ids the last message went to. Valid until the next emit of the same task; copy to keep. */
  readonly targets: readonly number[]
  readonly targeting: Targeting
  /**
   * Takes the turn of a message that is still to come: the ids of the tasks it will go to. It is then sent by
   * `emitReserved`; a turn that is never used harms nobody. Throws where `targeting` is 'message'.
   */
  reserve(): readonly number[]
  /** Emits to the tasks of a reservation of this outlet, with the same regard for full ones as `emit` has. */
  emitReserved(taskIds: readonly number[], value: unknown, slot: Slot): void
}
