// Storm's LocalDRPC: a DRPC server in this process without ports, for tests and for programs that answer functions themselves. What
// is written for it runs on a real server unchanged: `createLocalTopology(drpc)` instead of `createRemoteTopology()`.
import { EngineError } from 'gearpump/spi'
import { type Clock, realClock } from '../nimbus/clock.ts'
import { type FetchedRequest, failureOf, Requests } from './requests.ts'
import type { LocalServer } from './spout.ts'

export interface LocalDRPCOptions {
  readonly requestTimeoutMs?: number
  readonly clock?: Clock
}

/**
 * @example
 * const drpc = new LocalDRPC()
 * const app = await gear.submit(translate(builder.createLocalTopology(drpc), …).application)
 * await drpc.execute('exclaim', 'hello') // 'hello!'
 */
export class LocalDRPC implements LocalServer {
  readonly serviceId = 'local'
  readonly #requests: Requests

  constructor({ requestTimeoutMs, clock = realClock }: LocalDRPCOptions = {}) {
    this.#requests = new Requests({
      clock,
      ...(requestTimeoutMs === undefined ? {} : { timeoutMs: requestTimeoutMs }),
    })
  }

  /** Calls a function. Throws DRPC_FAILED, with Storm's type of the failure in its details. */
  async execute(functionName: string, args: string): Promise<string> {
    try {
      return await this.#requests.execute(functionName, args)
    } catch (error) {
      const { type, msg } = failureOf(error)
      throw new EngineError('DRPC_FAILED', `${functionName}: ${msg}`, {
        hint: 'look at the errors of the topology that answers the function',
        details: { functionName, type },
      })
    }
  }

  fetchRequest(functionName: string): FetchedRequest | undefined {
    return this.#requests.fetchRequest(functionName)
  }

  result(id: string, result: string): void {
    this.#requests.result(id, result)
  }

  failRequest(id: string, reason?: string): void {
    this.#requests.failRequest(id, reason)
  }

  /** Fails what waits. */
  shutdown(): void {
    this.#requests.close()
  }
}
