// The methods of Nimbus that make no sense here: each is refused with what to use instead.
import { type Handlers, Refusal } from '../thrift/service.ts'
import type { nimbusMethods } from '../thrift/storm-nimbus.ts'

type All = Handlers<typeof nimbusMethods, unknown>

/** Method -> why it is refused, and what to do instead. */
export const refusedMethods = {
  debug:
    'there is no event logger; let the component log what it sees, or set topology.debug and submit again',
  setWorkerProfiler:
    'there is no JVM to profile; use node --cpu-prof for the engine, and a profiler of its language for a component',
  getSupervisorAssignments:
    'there are no supervisors: topologies run in the process of this Nimbus',
  sendSupervisorWorkerHeartbeats:
    'there are no supervisors: topologies run in the process of this Nimbus',
  sendSupervisorWorkerHeartbeat:
    'there are no supervisors: topologies run in the process of this Nimbus',
  processWorkerMetrics: 'there are no workers that report here; figures are in getTopologyInfo',
} as const satisfies Partial<Record<keyof typeof nimbusMethods, string>>

export type RefusedMethods = Pick<All, keyof typeof refusedMethods>

export function refusals(): RefusedMethods {
  const refuse = (text: string) => (): never => {
    throw new Refusal(text)
  }
  const handlers = Object.entries(refusedMethods).map(([name, text]) => [name, refuse(text)])
  return Object.fromEntries(handlers) as RefusedMethods
}
