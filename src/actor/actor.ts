// What the control plane is made of: actors, addressed by node and name, called by `tell` and `ask`. The words and the
// contracts are here; `actor-system.ts` is the way in. An actor is an object whose methods may be called by others,
// in the same process or over a link, in the same way.
//
// A call is a turn: the method runs undisturbed until its first `await`; then other calls may run, and the rest of it
// comes later. So an actor that waits for an answer does not stand still, and two actors may ask each other. What
// must hold across an `await` has to be checked again after it. Calls from one sender to one actor start in order.
//
// In one process arguments and answers are handed over as they are, uncopied: after a call neither side may change
// them. Between processes they are plain data, copied by the value codec.

import type { Timer } from '../base/environment.ts'
import type { LogLine } from '../base/log.ts'
import type { Address } from '../transport/link.ts'
import type { Policy } from './supervision.ts'

/** Where an actor is. Plain data: may be sent in calls and stored. */
export interface ActorAddress {
  readonly node: Address
  /** Unique on its node; a child's name is its parent's, `/`, and its own. */
  readonly name: string
  /** This very actor, and not a later one of the same name. Without it: whoever has the name. */
  readonly incarnation?: string
}

/** Methods that can be called: of an interface, a class or an object type. */
export type Method<P> = {
  [M in keyof P]: P[M] extends (...args: never[]) => unknown ? M : never
}[keyof P] &
  string
export type Arguments<P, M extends keyof P> = P[M] extends (...args: infer A) => unknown ? A : never
export type Answer<P, M extends keyof P> = P[M] extends (...args: never[]) => infer R
  ? Awaited<R>
  : never

/**
 * The way to call an actor that understands `P`.
 *
 *     interface Counter { add(amount: number): number }
 *     const counter = system.ref<Counter>(address)
 *     counter.tell('add', 1)
 *     const sum = await counter.ask('add', 2)
 */
export interface ActorRef<P> {
  readonly address: ActorAddress
  /**
   * Calls and forgets: best effort. Throws only for what cannot be sent at all (VALUE_NOT_SERIALISABLE,
   * CALL_TOO_LARGE, to other nodes); a call that finds no node or actor is dropped, with a line in the debug log.
   */
  tell<M extends Method<P>>(method: M, ...args: Arguments<P, M>): void
  /**
   * Calls and waits for the answer. Rejects with what the method threw if that is an operating error, with
   * ACTOR_FAILED if the actor failed, else with ASK_TIMED_OUT, ACTOR_NOT_FOUND, NODE_UNREACHABLE, UNKNOWN_METHOD,
   * UNAUTHORIZED, CALL_TOO_LARGE, VALUE_NOT_SERIALISABLE or OVERLOADED.
   */
  ask<M extends Method<P>>(method: M, ...args: Arguments<P, M>): Promise<Answer<P, M>>
  /** The same actor, with another time-out for asks. */
  within(timeoutMs: number): ActorRef<P>
}

/** What an ask waits unless told otherwise. */
export const ASK_TIMEOUT_MS = 5_000

/** Who calls: part of the cluster, or a client of it, who may only call actors that are open. */
export type Principal = 'role' | 'client'

export interface Sender {
  readonly principal: Principal
  /** The node that the call came from; our own for calls within the process. */
  readonly node: Address
  /** The name that node gave itself, for people. */
  readonly nodeName: string
}

/** Told once, with the reason, when what is watched is gone; never from inside `watch`. */
export type OnDown = (reason: string) => void

export interface Watch {
  /** It will not be told any more. Idempotent. */
  cancel(): void
}

export interface SpawnOptions {
  /** What to do when it fails; DEFAULT_POLICY if not given. The one who spawns decides. */
  policy?: Policy
  /** Whether clients may call it. Only for actors whose every method may be called by any client. */
  open?: boolean
}

/**
 * Makes the actor: an object with the methods of `P`. Everything callable on it can be called by others: what is its
 * own business must be a #private method or a closure. Called again for each restart.
 */
export type Make<P> = (context: ActorContext) => P | Promise<P>

/** What an actor has of the world around it; belongs to one instance, and ends with it. */
export interface ActorContext {
  readonly self: ActorAddress
  /** Who makes the current call. Only until the first `await` of a method: read it there. */
  readonly sender: Sender
  /** A child: stopped before this instance is stopped or restarted. Its name is `parent/name`. */
  spawn<P extends object>(name: string, make: Make<P>, options?: SpawnOptions): ActorRef<P>
  ref<P>(address: ActorAddress): ActorRef<P>
  watch(address: ActorAddress, onDown: OnDown): Watch
  /** Runs `work` after a while, as a turn. If it throws or rejects the actor has failed. */
  after(delayMs: number, work: Work): Timer
  /** Runs `work` each `periodMs`; a period that finds the last work unfinished is left out. */
  every(periodMs: number, work: Work): Timer
  /** Begins work that nobody waits for. If it throws or rejects the actor has failed. */
  run(work: Work): void
  /** Called when this instance ends: at a stop and before a restart, last registered first. May be async. */
  onStop(work: Work): void
  log(level: LogLine['level'], text: string): void
  /** Ends this actor: what is queued is refused, watchers are told. */
  stop(reason?: string): void
}

export type Work = () => void | Promise<void>

/** One call on its way to an actor. */
export interface Call {
  readonly method: string
  readonly args: readonly unknown[]
  readonly sender: Sender
  /** What its arguments took on the way; 0 within the process. */
  readonly bytes: number
  /** Absent for a tell. */
  readonly reply: Reply | undefined
}

/** Where the outcome of an ask goes; the first one counts. */
export interface Reply {
  answer(value: unknown): void
  fail(error: Error): void
}
