// What a node at the other end of a link wants of us: its calls are delivered and their outcomes sent back, its watches
// are kept until the link ends.

import { asError, EngineError } from '../base/errors.ts'
import type { Reply, Sender, Watch } from './actor.ts'
import type { LocalActors } from './actor-cells.ts'
import type { NodeFrame, NodeFrameKind, NodeFrames } from './node-frames.ts'
import { bareError, type PlainError, plainError } from './plain-error.ts'

/** Watches of one peer over one link. Each node of a cluster watches a handful. */
export const WATCHES_MAX = 10_000

type CallFrame = Extract<NodeFrame, { kind: typeof NodeFrameKind.CALL }>
type WatchFrame = Extract<NodeFrame, { kind: typeof NodeFrameKind.WATCH }>

export interface ServedNodeOptions {
  frames: NodeFrames
  actors: LocalActors
  sender: Sender
  send(frame: Buffer): void
}

export class ServedNode {
  readonly #options: ServedNodeOptions
  readonly #watches = new Map<number, Watch>()

  constructor(options: ServedNodeOptions) {
    this.#options = options
  }

  call(frame: CallFrame, bytes: number): void {
    const { actors, sender } = this.#options
    const { id, name, incarnation, method, args } = frame
    const reply = id === 0 ? undefined : this.#reply(id, name, method)
    actors.deliver(name, incarnation, { method, args, sender, bytes, reply })
  }

  watch(frame: WatchFrame): void {
    const { actors, frames, send, sender } = this.#options
    const { id, name } = frame
    this.#watches.get(id)?.cancel()
    if (this.#watches.size >= WATCHES_MAX) {
      send(frames.down(id, `too many watches: ${WATCHES_MAX} over this link`))
      return
    }
    const { watch, incarnation } = actors.watchLocal(
      name,
      frame.incarnation,
      sender.principal,
      reason => {
        this.#watches.delete(id)
        send(frames.down(id, reason))
      },
    )
    this.#watches.set(id, watch)
    if (incarnation !== undefined) send(frames.watched(id, incarnation))
  }

  unwatch(id: number): void {
    this.#watches.get(id)?.cancel()
    this.#watches.delete(id)
  }

  /** The link is gone. */
  end(): void {
    for (const watch of this.#watches.values()) watch.cancel()
    this.#watches.clear()
  }

  #reply(id: number, name: string, method: string): Reply {
    const { frames, send } = this.#options
    const fail = (error: Error): void => send(this.#failed(id, error))
    return {
      fail,
      answer: value => {
        try {
          send(frames.answer(id, value, `the answer of ${name} to ${method}`))
        } catch (error) {
          fail(asError(error))
        }
      },
    }
  }

  // An error that cannot be sent as it is loses what may be the reason for that, but not its message.
  #failed(id: number, error: Error): Buffer {
    const { frames } = this.#options
    const plain: PlainError = plainError(error)
    try {
      return frames.failed(id, plain)
    } catch (problem) {
      if (!(problem instanceof EngineError)) throw problem
      return frames.failed(id, bareError(plain))
    }
  }
}
