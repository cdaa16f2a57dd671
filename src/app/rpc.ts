// Calls between a parent process and its executors, over the channel that Node gives to a forked child. Control plane
// only: a handful of calls per second.
import { bareError, type PlainError, plainError, revivedError } from '../actor/plain-error.ts'
import { EngineError } from '../base/errors.ts'

/** What both ends of the channel can do. */
export interface Channel {
  send(message: RpcMessage): void
  onMessage(handle: (message: RpcMessage) => void): void
}

export type RpcMessage =
  | { kind: 'call'; id: number; method: string; args: unknown[] }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: PlainError }
  | { kind: 'event'; name: string; args: unknown[] }

/** The caller's side. */
export class RpcCaller {
  readonly #channel: Channel
  readonly #open = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >()
  #nextId = 1
  #ended: Error | undefined = undefined

  constructor(channel: Channel, onEvent: (name: string, args: unknown[]) => void) {
    this.#channel = channel
    channel.onMessage(message => {
      if (message.kind === 'event') onEvent(message.name, message.args)
      else if (message.kind === 'answer') this.#settle(message.id)?.resolve(message.value)
      else if (message.kind === 'error')
        this.#settle(message.id)?.reject(revivedError(message.error))
    })
  }

  #settle(id: number) {
    const open = this.#open.get(id)
    this.#open.delete(id)
    return open
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#channel.send({ kind: 'call', id, method, args })
    })
  }

  /** The other side is gone: every open call fails with the reason. */
  end(reason: Error): void {
    this.#ended = reason
    for (const open of this.#open.values()) open.reject(reason)
    this.#open.clear()
  }
}

/** The answering side: `methods` by name. */
export function serveRpc(
  channel: Channel,
  methods: ReadonlyMap<string, (...args: never[]) => unknown>,
): void {
  channel.onMessage(message => {
    if (message.kind !== 'call') return
    const { id, method, args } = message
    const run = async () => {
      const fn = methods.get(method)
      if (fn === undefined) throw new EngineError('BUG', `no method ${method}`)
      return fn(...(args as never[]))
    }
    run().then(
      value => channel.send({ kind: 'answer', id, value }),
      error => channel.send({ kind: 'error', id, error: bareError(plainError(error)) }),
    )
  })
}
