// An answer that is no success: its status and what to say, in Storm's two fields.
import { STATUS_CODES } from 'node:http'
import { asError, EngineError } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'
import { Refusal } from '../thrift/service.ts'

export class UiError extends Error {
  override readonly name = 'UiError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** What went wrong, as a status. Storm answers 500 to nearly everything; here the status says whose fault it is. */
export function statusOf(error: unknown): number {
  if (error instanceof UiError) return error.status
  if (error instanceof ThriftException) return THRIFT_STATUS[error.type.name] ?? 500
  // What a Nimbus does not do, in its own words.
  if (error instanceof Refusal) return 501
  if (error instanceof EngineError) return ENGINE_STATUS[error.code] ?? 500
  return 500
}

const THRIFT_STATUS: Readonly<Record<string, number>> = {
  NotAliveException: 404,
  AuthorizationException: 401,
  InvalidTopologyException: 400,
}

const ENGINE_STATUS: Readonly<Record<string, number>> = {
  THRIFT_CALL_FAILED: 502,
  THRIFT_INVALID: 502,
  NIMBUS_UNREACHABLE: 503,
}

export function errorJson(error: unknown): { error: string; errorMessage: string } {
  const status = statusOf(error)
  return {
    error: `${status} ${STATUS_CODES[status]}`,
    errorMessage: asError(error).message,
  }
}
