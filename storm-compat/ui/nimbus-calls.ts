// The Nimbus that a UI shows: one in this process, or one behind Thrift, connected to anew for each request so that a Nimbus
// may be restarted. The UI sees no difference.
import type { ThriftClient } from '../thrift/client.ts'
import type { nimbusMethods } from '../thrift/storm-nimbus.ts'

export type NimbusCalls = Pick<ThriftClient<typeof nimbusMethods>, 'call'>

/** Runs `body` with a Nimbus. */
export type WithNimbus = <T>(body: (nimbus: NimbusCalls) => Promise<T>) => Promise<T>

/** A Nimbus that is there all the time. */
export function always(nimbus: NimbusCalls): WithNimbus {
  return body => body(nimbus)
}

/** One that is connected to for each request. */
export function perRequest(connect: () => Promise<NimbusCalls & { close(): void }>): WithNimbus {
  return async body => {
    const nimbus = await connect()
    try {
      return await body(nimbus)
    } finally {
      nimbus.close()
    }
  }
}
