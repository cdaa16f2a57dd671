// Storm's DRPCSpout: asks DRPC servers for requests of one function and emits each as `[args, return-info]`, the latter a JSON text
// that says which request it is and which server waits for the result. A request that fails in the topology is failed at its server
// at once. One spout task asks all servers, or its share of them if there are more tasks than servers.
import { asError } from 'gearpump/spi'
import type {
  Conf,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
} from '../component/api.ts'
import {
  type Address,
  invocationsSecurity,
  RemoteInvocations,
  serversOf,
} from './remote-invocations.ts'
import type { Invocations } from './requests.ts'

/** A server that has nothing to do is asked less often, up to this wait; it is what a request may wait beyond its work. */
const IDLE_WAIT_MS_MAX = 16

/** A server in this process and the name by which ReturnResults finds it; port 0 as in Storm. */
export interface LocalServer extends Invocations {
  readonly serviceId: string
}

interface Server {
  readonly address: Address
  readonly invocations: Invocations & { close?(): Promise<void> }
  /** Not asked before. */
  askMs: number
  waitMs: number
}

interface MessageId {
  readonly server: Server
  readonly id: string
}

export class DRPCSpout implements Spout {
  readonly #functionName: string
  readonly #local: LocalServer | undefined
  readonly #nowMs: () => number
  #servers: readonly Server[] = []
  #collector!: SpoutOutputCollector
  #next = 0

  constructor(
    functionName: string,
    local?: LocalServer,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#functionName = functionName
    this.#local = local
    this.#nowMs = nowMs
  }

  async open(conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): Promise<void> {
    this.#collector = collector
    const local = this.#local
    if (local !== undefined) {
      this.#servers = [serverAt({ host: local.serviceId, port: 0 }, local)]
      return
    }
    const all = serversOf(conf)
    const options = { security: await invocationsSecurity(conf), nowMs: this.#nowMs }
    const tasks = context.componentTasks(context.componentId).length
    const mine = tasks < all.length ? all : [all[context.taskIndex % all.length]!]
    this.#servers = mine.map(address => serverAt(address, new RemoteInvocations(address, options)))
  }

  /** Emits one request at most; the servers take turns. */
  async nextTuple(): Promise<void> {
    for (let asked = 0; asked < this.#servers.length; asked++) {
      const server = this.#servers[this.#next++ % this.#servers.length]!
      if (this.#nowMs() >= server.askMs && (await this.#ask(server))) return
    }
  }

  async #ask(server: Server): Promise<boolean> {
    const { address, invocations } = server
    const request = await this.#reported(() => invocations.fetchRequest(this.#functionName))
    if (request === undefined) {
      server.waitMs = Math.min(IDLE_WAIT_MS_MAX, Math.max(1, server.waitMs * 2))
      server.askMs = this.#nowMs() + server.waitMs
      return false
    }
    server.waitMs = 0
    server.askMs = 0
    const { host, port } = address
    const returnInfo = JSON.stringify({ id: request.id, host, port })
    const messageId: MessageId = { server, id: request.id }
    this.#collector.emit([request.args, returnInfo], messageId)
    return true
  }

  async fail(messageId: unknown): Promise<void> {
    const { server, id } = messageId as MessageId
    await this.#reported(() => server.invocations.failRequest(id))
  }

  // A server that is away is an error to be shown, and no reason to start this spout anew.
  async #reported<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await ask()
    } catch (error) {
      this.#collector.reportError(asError(error))
      return undefined
    }
  }

  async close(): Promise<void> {
    for (const { invocations } of this.#servers) await invocations.close?.()
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['args', 'return-info'])
  }
}

function serverAt(address: Address, invocations: Invocations): Server {
  return { address, invocations, askMs: 0, waitMs: 0 }
}

/** For TopologyBuilder: `builder.setSpout('drpc', drpcSpout('exclaim'))`. */
export function drpcSpout(functionName: string, local?: LocalServer): () => DRPCSpout {
  return () => new DRPCSpout(functionName, local)
}
