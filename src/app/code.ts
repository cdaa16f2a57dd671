// Loads an application from the code that another process named.
import { EngineError } from '../base/errors.ts'
import type { Application, CodeRef } from './application.ts'

export async function loadCode(code: CodeRef): Promise<Application> {
  const module = (await import(code.module)) as Record<string, unknown>
  const make = module[code.export]
  if (typeof make !== 'function') {
    throw new EngineError('MODULE_NOT_LOADED', `${code.module} has no function "${code.export}"`)
  }
  return (await (make as (input: unknown) => unknown)(code.input)) as Application
}
