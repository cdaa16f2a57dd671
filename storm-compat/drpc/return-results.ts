// Storm's ReturnResults: takes `[result, return-info]` and tells the result to the server that the return-info names. A result that
// cannot be told fails its tuple, and so its request.
import { asError, EngineError } from 'gearpump/spi'
import type {
  Bolt,
  Conf,
  OutputCollector,
  OutputFieldsDeclarer,
  TopologyContext,
  Tuple,
} from '../component/api.ts'
import type { ClientSecurity } from '../thrift/client.ts'
import { invocationsSecurity, RemoteInvocations } from './remote-invocations.ts'
import type { Invocations } from './requests.ts'
import type { LocalServer } from './spout.ts'

/** Servers that return-infos name; the one that was used least recently is closed beyond that. */
const SERVERS_MAX = 64

export class ReturnResults implements Bolt {
  readonly #local: LocalServer | undefined
  readonly #servers = new Map<string, RemoteInvocations>()
  #collector!: OutputCollector
  #security: ClientSecurity = {}

  constructor(local?: LocalServer) {
    this.#local = local
  }

  async prepare(conf: Conf, _context: TopologyContext, collector: OutputCollector): Promise<void> {
    this.#collector = collector
    if (this.#local === undefined) this.#security = await invocationsSecurity(conf)
  }

  async execute(tuple: Tuple): Promise<void> {
    const [result, returnInfo] = tuple.values
    try {
      if (returnInfo !== null && returnInfo !== undefined) await this.#tell(result, returnInfo)
      this.#collector.ack(tuple)
    } catch (error) {
      this.#collector.reportError(asError(error))
      this.#collector.fail(tuple)
    }
  }

  async #tell(result: unknown, returnInfo: unknown): Promise<void> {
    const { id, host, port } = parsed(returnInfo)
    const server = await this.#serverAt(host, port)
    if (result === null || result === undefined) {
      await server.failRequest(id, 'the topology returned null')
    } else await server.result(id, String(result))
  }

  async #serverAt(host: string, port: number): Promise<Invocations> {
    if (this.#local !== undefined && host === this.#local.serviceId) return this.#local
    const key = `${host}:${port}`
    const server =
      this.#servers.get(key) ?? new RemoteInvocations({ host, port }, { security: this.#security })
    // The last in the map is the one used last.
    this.#servers.delete(key)
    this.#servers.set(key, server)
    for (const [oldest, idle] of this.#servers) {
      if (this.#servers.size <= SERVERS_MAX) break
      this.#servers.delete(oldest)
      await idle.close()
    }
    return server
  }

  async cleanup(): Promise<void> {
    for (const server of this.#servers.values()) await server.close()
  }

  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}

function parsed(returnInfo: unknown): { id: string; host: string; port: number } {
  try {
    const info = JSON.parse(String(returnInfo)) as Record<string, unknown>
    const { id, host, port } = info
    if (typeof id === 'string' && typeof host === 'string' && typeof port === 'number') {
      return { id, host, port }
    }
    throw new Error('it must have id, host and port')
  } catch (cause) {
    throw new EngineError(
      'BAD_INPUT',
      `ReturnResults got no return-info as its second value: ${asError(cause).message}`,
      { hint: 'hand on the return-info of DRPCSpout as it came', cause },
    )
  }
}

/** For TopologyBuilder: `builder.setBolt('return', returnResults()).shuffleGrouping('exclaim')`. */
export function returnResults(local?: LocalServer): () => ReturnResults {
  return () => new ReturnResults(local)
}
