// One instance of an actor, from `make` to its stop or restart, as the actor sees it: its context. Timers, watches and
// work begun through it belong to it: they end with it, and if they throw, the actor has failed.

import { type Environment, every as everyPeriod, type Timer } from '../base/environment.ts'
import { asError, invariant } from '../base/errors.ts'
import type { LogLine } from '../base/log.ts'
import type {
  ActorAddress,
  ActorContext,
  ActorRef,
  Make,
  OnDown,
  Sender,
  SpawnOptions,
  Watch,
  Work,
} from './actor.ts'

/** What `onStop` work may take, all together. A stop that hangs must not keep a node from ending. */
const STOP_TIMEOUT_MS = 5_000

/** What an instance asks of its actor and of the system. */
export interface InstanceHost {
  readonly environment: Environment
  readonly address: ActorAddress
  /** Of the call whose method runs right now. */
  readonly sender: Sender | undefined
  spawnChild<P extends object>(name: string, make: Make<P>, options?: SpawnOptions): ActorRef<P>
  ref<P>(address: ActorAddress): ActorRef<P>
  watch(address: ActorAddress, onDown: OnDown): Watch
  fail(error: Error, instance: ActorInstance): void
  log(level: LogLine['level'], text: string): void
  stop(reason: string): void
}

export class ActorInstance implements ActorContext {
  readonly #host: InstanceHost
  // Timers and watches alike: what must be cancelled at the end.
  readonly #owned = new Set<Watch>()
  readonly #stopWork: Work[] = []
  #ended = false
  #stopping: Promise<void> | undefined

  constructor(host: InstanceHost) {
    this.#host = host
  }

  get self(): ActorAddress {
    return this.#host.address
  }

  get sender(): Sender {
    const { sender } = this.#host
    invariant(sender !== undefined, 'the sender is read before the first await of a call')
    return sender
  }

  spawn<P extends object>(name: string, make: Make<P>, options?: SpawnOptions): ActorRef<P> {
    invariant(!this.#ended, `${this.self.name} spawns ${name} while it lives`)
    return this.#host.spawnChild(name, make, options)
  }

  ref<P>(address: ActorAddress): ActorRef<P> {
    return this.#host.ref(address)
  }

  watch(address: ActorAddress, onDown: OnDown): Watch {
    if (this.#ended) return NOTHING
    const watch = this.#host.watch(address, reason => {
      this.#owned.delete(watch)
      this.run(() => onDown(reason))
    })
    return this.#own(watch)
  }

  after(delayMs: number, work: Work): Timer {
    if (this.#ended) return NOTHING
    const timer = this.#host.environment.after(delayMs, () => {
      this.#owned.delete(timer)
      this.run(work)
    })
    return this.#own(timer)
  }

  every(periodMs: number, work: Work): Timer {
    if (this.#ended) return NOTHING
    let busy = false
    const timer = everyPeriod(this.#host.environment, periodMs, () => {
      if (busy) return
      busy = true
      this.run(async () => {
        try {
          await work()
        } finally {
          busy = false
        }
      })
    })
    return this.#own(timer)
  }

  run(work: Work): void {
    if (this.#ended) return
    try {
      const done = work()
      if (isPromise(done)) done.then(undefined, error => this.#host.fail(asError(error), this))
    } catch (error) {
      this.#host.fail(asError(error), this)
    }
  }

  onStop(work: Work): void {
    // Registered by a `make` that outlived its instance: what it has opened must be closed all the same.
    if (this.#ended) this.#stopWith([work]).then(undefined, error => this.#stopFailed(error))
    else this.#stopWork.push(work)
  }

  log(level: LogLine['level'], text: string): void {
    this.#host.log(level, text)
  }

  stop(reason = 'it stopped by itself'): void {
    if (!this.#ended) this.#host.stop(reason)
  }

  /** Nothing of this instance runs any more, but for calls that have begun. */
  end(): void {
    this.#ended = true
    for (const watch of this.#owned) watch.cancel()
    this.#owned.clear()
  }

  /** Does what `onStop` was given: after the children are gone. Never rejects. Idempotent. */
  stopped(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const work = this.#stopWork.splice(0).reverse()
    if (work.length === 0) return
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      const give = () => reject(new Error(`it takes longer than ${STOP_TIMEOUT_MS} ms`))
      timer = this.#host.environment.after(STOP_TIMEOUT_MS, give)
    })
    try {
      await Promise.race([this.#stopWith(work), late])
    } catch (error) {
      this.#stopFailed(error)
    } finally {
      timer?.cancel()
    }
  }

  async #stopWith(work: readonly Work[]): Promise<void> {
    for (const one of work) {
      try {
        await one()
      } catch (error) {
        this.#stopFailed(error)
      }
    }
  }

  #stopFailed(error: unknown): void {
    this.#host.log('error', `its work at the stop failed: ${asError(error).message}`)
  }

  #own(watch: Watch): Watch {
    this.#owned.add(watch)
    return {
      cancel: () => {
        this.#owned.delete(watch)
        watch.cancel()
      },
    }
  }
}

const NOTHING: Watch = { cancel: () => undefined }

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
