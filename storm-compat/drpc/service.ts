// A DRPC server beside a Nimbus, as `gear local --drpc` starts one: what it is called, and the settings by which the topologies of
// this cluster find it.
import type { Log } from 'gearpump'
import type { Service } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { DIGEST_PLUGIN, INVOCATIONS_PORT_SETTINGS } from '../thrift/transport-conf.ts'
import { DRPC_HTTP_PORT, type Drpc, type DrpcOptions, startDrpc } from './server.ts'

export interface DrpcService extends Service {
  /** Settings that topologies are given, unless they have their own. */
  readonly conf: Conf
}

export interface ServiceOptions extends Pick<DrpcOptions, 'address' | 'tls' | 'passwordOf'> {
  /** The host under which topologies reach it, if not its address. */
  readonly advertise?: string | undefined
  readonly log: Log
}

export async function serveDrpc(
  ports: {
    readonly callers: number | undefined
    readonly invocations: number | undefined
    readonly http: number | undefined
  },
  { advertise, ...options }: ServiceOptions,
): Promise<DrpcService> {
  const { callers, invocations, http = DRPC_HTTP_PORT } = ports
  const drpc = await startDrpc({
    ...options,
    httpPort: http,
    ...(callers === undefined ? {} : { port: callers }),
    ...(invocations === undefined ? {} : { invocationsPort: invocations }),
  })
  return {
    name: describeDrpc(drpc),
    conf: {
      'drpc.servers': [advertise ?? reachable(drpc.address)],
      'drpc.port': drpc.port,
      'drpc.invocations.port': drpc.invocationsPort,
      // What a topology lacks to come in is then said by its settings, and not by a connection that fails.
      ...(options.tls === undefined ? {} : { [INVOCATIONS_PORT_SETTINGS.tls]: true }),
      ...(options.passwordOf === undefined
        ? {}
        : { [INVOCATIONS_PORT_SETTINGS.transport]: DIGEST_PLUGIN }),
    },
    close: () => drpc.close(),
  }
}

/** Of an address that means all of them, the one that the machine itself uses. */
function reachable(address: string): string {
  return ['0.0.0.0', '::'].includes(address) ? 'localhost' : address
}

/** For people: `a DRPC server at 127.0.0.1: 3772 for callers, …`. */
export function describeDrpc({ address, port, invocationsPort, httpPort }: Drpc): string {
  const http = httpPort === undefined ? '' : `, ${httpPort} for HTTP`
  return `a DRPC server at ${address}: ${port} for callers, ${invocationsPort} for topologies${http}`
}
