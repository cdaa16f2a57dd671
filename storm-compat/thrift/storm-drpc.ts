// DRPC, the two services: DistributedRPC is what callers of functions speak, DistributedRPCInvocations what the topologies that
// answer them speak. The same from Storm 0.9 to 2.x; failRequestV2 and the type of an exception came with 2.0. What a client may
// leave out (null in Java, None in Python) is optional.
import { enumeration, exception, struct } from './codec.ts'
import { method, nothing } from './service.ts'
import { AuthorizationException } from './storm-exceptions.ts'
import { string, type ValueOf } from './wire-types.ts'

export const DRPCExceptionType = enumeration('DRPCExceptionType', {
  INTERNAL_ERROR: 0,
  SERVER_SHUTDOWN: 1,
  SERVER_TIMEOUT: 2,
  FAILED_REQUEST: 3,
})
export type DrpcFailureType = ValueOf<typeof DRPCExceptionType>

export const DRPCExecutionException = exception('DRPCExecutionException', {
  msg: [1, string],
  type: [2, DRPCExceptionType, 'optional'],
})

export const DRPCRequest = struct('DRPCRequest', {
  func_args: [1, string],
  request_id: [2, string],
})

export const drpcMethods = {
  execute: method({ functionName: [1, string], funcArgs: [2, string, 'optional'] }, string, {
    e: [1, DRPCExecutionException],
    aze: [2, AuthorizationException],
  }),
}

export const drpcInvocationsMethods = {
  result: method({ id: [1, string], result: [2, string, 'optional'] }, nothing, {
    aze: [1, AuthorizationException],
  }),
  fetchRequest: method({ functionName: [1, string] }, DRPCRequest, {
    aze: [1, AuthorizationException],
  }),
  failRequest: method({ id: [1, string] }, nothing, { aze: [1, AuthorizationException] }),
  failRequestV2: method({ id: [1, string], e: [2, DRPCExecutionException, 'optional'] }, nothing, {
    aze: [1, AuthorizationException],
  }),
}
