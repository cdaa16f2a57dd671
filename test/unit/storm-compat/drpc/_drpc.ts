// A DRPC server on free ports, with clients for both of its services.
import type { ExecutionContext } from 'ava'
import { type DrpcOptions, startDrpc } from '../../../../storm-compat/drpc/server.ts'
import { connectThrift } from '../../../../storm-compat/thrift/client.ts'
import { drpcInvocationsMethods, drpcMethods } from '../../../../storm-compat/thrift/storm-drpc.ts'
import { until } from '../../../e2e/until.ts'

export async function drpcFor(t: ExecutionContext, more: DrpcOptions = {}) {
  const lines: string[] = []
  const drpc = await startDrpc({
    port: 0,
    invocationsPort: 0,
    log: { write: line => lines.push(line.text) },
    ...more,
  })
  t.teardown(() => drpc.close())
  const host = '127.0.0.1'
  const caller = async () => {
    const client = await connectThrift({ methods: drpcMethods, host, port: drpc.port })
    t.teardown(() => client.close())
    return client
  }
  const port = drpc.invocationsPort
  const topology = await connectThrift({ methods: drpcInvocationsMethods, host, port })
  t.teardown(() => topology.close())
  /** Resolves when so many requests wait. */
  const pending = (count: number) =>
    until(`${count} requests wait`, () => drpc.pending === count, 10_000)
  return { drpc, lines, caller, topology, pending }
}
