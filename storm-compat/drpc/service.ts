// A DRPC server beside a Nimbus, as `gear local --drpc` starts one: what it is called, and the settings by which the topologies of
// this cluster find it.
import type { Log } from 'gearpump'
import type { Service } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { DRPC_HTTP_PORT, type Drpc, startDrpc } from './server.ts'

export interface DrpcService extends Service {
  /** Settings that topologies are given, unless they have their own. */
  readonly conf: Conf
}

export async function serveDrpc(
  ports: {
    readonly callers: number | undefined
    readonly invocations: number | undefined
    readonly http: number | undefined
  },
  log: Log,
): Promise<DrpcService> {
  const { callers, invocations, http = DRPC_HTTP_PORT } = ports
  const drpc = await startDrpc({
    log,
    httpPort: http,
    ...(callers === undefined ? {} : { port: callers }),
    ...(invocations === undefined ? {} : { invocationsPort: invocations }),
  })
  return {
    name: describeDrpc(drpc),
    conf: {
      'drpc.servers': [drpc.address],
      'drpc.port': drpc.port,
      'drpc.invocations.port': drpc.invocationsPort,
    },
    close: () => drpc.close(),
  }
}

/** For people: `a DRPC server at 127.0.0.1: 3772 for callers, …`. */
export function describeDrpc({ address, port, invocationsPort, httpPort }: Drpc): string {
  const http = httpPort === undefined ? '' : `, ${httpPort} for HTTP`
  return `a DRPC server at ${address}: ${port} for callers, ${invocationsPort} for topologies${http}`
}
