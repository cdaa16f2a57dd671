// The requests of a DRPC server: who calls a function waits here until the topology that answers it has fetched the request and
// told its result, failed it, or let its time run out. Plain code without sockets; Thrift, HTTP and local callers come to the same
// place. Everything is bounded, and a caller that goes away leaves nothing behind: what nobody waits for is not handed out.
import { asError } from 'gearpump/spi'
import type { Clock } from '../nimbus/clock.ts'
import { ThriftException } from '../thrift/codec.ts'
import { DRPCExecutionException, type DrpcFailureType } from '../thrift/storm-drpc.ts'

/** drpc.request.timeout.secs */
export const REQUEST_TIMEOUT_MS = 600_000
/** Requests that wait or are worked on. Each has a caller with a connection; this bounds local callers too. */
export const REQUESTS_MAX = 10_000
/** Of one function, so that one that nobody answers leaves room for the others. */
export const FUNCTION_REQUESTS_MAX = 2000
/** Arguments of all requests together. */
export const ARGUMENTS_LENGTH_MAX = 64 * 1024 * 1024
/** A function is a word. */
export const FUNCTION_NAME_LENGTH_MAX = 1000

/** A request as the topology gets it. */
export interface FetchedRequest {
  /** Digits. */
  readonly id: string
  readonly args: string
}

/** What a topology needs of a DRPC server: the same whether it is in this process or behind a connection. */
export interface Invocations {
  /** The oldest request of a function that was not handed out, or undefined at once. */
  fetchRequest(
    functionName: string,
  ): FetchedRequest | undefined | Promise<FetchedRequest | undefined>
  /** A request that is not waited for any more is passed over. */
  result(id: string, result: string): void | Promise<void>
  failRequest(id: string, reason?: string): void | Promise<void>
}

export interface RequestsOptions {
  readonly clock: Clock
  readonly timeoutMs?: number
}

interface Request {
  readonly id: string
  readonly functionName: string
  readonly args: string
  readonly resolve: (result: string) => void
  readonly reject: (error: Error) => void
  readonly timer: { cancel(): void }
  readonly gone: AbortSignal | undefined
  readonly leave: () => void
}

/** What one function has to do. */
interface Desk {
  /** Requests not yet fetched, the oldest first. */
  readonly waiting: Map<string, Request>
  /** Those, and the ones that were fetched. */
  open: number
}

export class Requests implements Invocations {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #requests = new Map<string, Request>()
  readonly #desks = new Map<string, Desk>()
  #argumentsLength = 0
  #lastId: number
  #closed = false

  constructor({ clock, timeoutMs = REQUEST_TIMEOUT_MS }: RequestsOptions) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    // Not from 0 as in Storm: a result that was meant for an earlier server must find no request here.
    this.#lastId = clock.nowMs()
  }

  /** Requests that somebody waits for. */
  get size(): number {
    return this.#requests.size
  }

  /** The function of an open request. */
  functionOf(id: string): string | undefined {
    return this.#requests.get(id)?.functionName
  }

  /** Resolves with the result; rejects with a DRPCExecutionException. When `gone` is aborted, nobody waits any more. */
  execute(functionName: string, args: string, gone?: AbortSignal): Promise<string> {
    const refused = this.#refusal(functionName, args)
    if (refused !== undefined) return Promise.reject(refused)
    const id = String(++this.#lastId)
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#end(id)?.reject(failure('INTERNAL_ERROR', 'the caller went away'))
      }
      const timer = this.#clock.after(this.#timeoutMs, () => this.#expire(id))
      const request = { id, functionName, args, resolve, reject, timer, gone, leave }
      this.#requests.set(id, request)
      const desk = this.#desks.get(functionName) ?? { waiting: new Map(), open: 0 }
      this.#desks.set(functionName, desk)
      desk.waiting.set(id, request)
      desk.open++
      this.#argumentsLength += args.length
      if (gone?.aborted === true) leave()
      else gone?.addEventListener('abort', leave, { once: true })
    })
  }

  fetchRequest(functionName: string): FetchedRequest | undefined {
    const waiting = this.#desks.get(functionName)?.waiting
    if (waiting === undefined) return undefined
    for (const [id, { args }] of waiting) {
      waiting.delete(id)
      return { id, args }
    }
    return undefined
  }

  result(id: string, result: string): void {
    this.#end(id)?.resolve(result)
  }

  failRequest(
    id: string,
    reason = 'Request failed',
    type: DrpcFailureType = 'FAILED_REQUEST',
  ): void {
    this.#end(id)?.reject(failure(type, reason))
  }

  /** Fails all that wait, and takes no more. Idempotent. */
  close(): void {
    this.#closed = true
    for (const id of [...this.#requests.keys()]) {
      this.failRequest(id, 'Server Shutting Down', 'SERVER_SHUTDOWN')
    }
  }

  #expire(id: string): void {
    const request = this.#requests.get(id)
    if (request === undefined) return
    const waited = this.#desks.get(request.functionName)?.waiting.has(id)
    const secs = this.#timeoutMs / 1000
    const why =
      waited === true
        ? `no topology fetched this request of "${request.functionName}" within ${secs} s`
        : `the topology told no result of this request of "${request.functionName}" within ${secs} s`
    this.failRequest(id, `Timed Out: ${why}`, 'SERVER_TIMEOUT')
  }

  // Takes a request out of everything; who calls settles it.
  #end(id: string): Request | undefined {
    const request = this.#requests.get(id)
    if (request === undefined) return undefined
    this.#requests.delete(id)
    const desk = this.#desks.get(request.functionName)!
    desk.waiting.delete(id)
    // Names come from callers: none is kept for nothing.
    if (--desk.open === 0) this.#desks.delete(request.functionName)
    this.#argumentsLength -= request.args.length
    request.timer.cancel()
    request.gone?.removeEventListener('abort', request.leave)
    return request
  }

  #refusal(functionName: string, args: string): Error | undefined {
    if (this.#closed) return failure('SERVER_SHUTDOWN', 'Server Shutting Down')
    if (functionName.length > FUNCTION_NAME_LENGTH_MAX) {
      const { length } = functionName
      const most = FUNCTION_NAME_LENGTH_MAX
      return failure(
        'INTERNAL_ERROR',
        `the name of a function has ${length} letters, at most ${most}`,
      )
    }
    const ofFunction = this.#desks.get(functionName)?.open ?? 0
    if (ofFunction >= FUNCTION_REQUESTS_MAX) {
      const text = `${ofFunction} requests of "${functionName}" wait already: is its topology running?`
      return failure('INTERNAL_ERROR', text)
    }
    const full =
      this.#requests.size >= REQUESTS_MAX ||
      this.#argumentsLength + args.length > ARGUMENTS_LENGTH_MAX
    if (!full) return undefined
    return failure('INTERNAL_ERROR', 'too many requests wait at this server: try again later')
  }
}

/** Storm's exception for a request that has no result. */
export function failure(type: DrpcFailureType, msg: string): Error {
  return new ThriftException(DRPCExecutionException, { msg, type })
}

/** The type and text of what `execute` rejected with. */
export function failureOf(error: unknown): { type: DrpcFailureType; msg: string } {
  if (error instanceof ThriftException && error.type.name === DRPCExecutionException.name) {
    const { msg, type = 'INTERNAL_ERROR' } = error.value as { msg: string; type?: DrpcFailureType }
    return { type, msg }
  }
  return { type: 'INTERNAL_ERROR', msg: asError(error).message }
}
