// Loads an application from the code that another process named.
import { fileURLToPath } from 'node:url'
import { asError, EngineError } from '../base/errors.ts'
import type { Application, CodeRef } from './application.ts'
import { prepareOwnName, prepareTypeScript } from './user-modules.ts'

/** Throws MODULE_NOT_LOADED with the module's own error as cause, or what the engine found wrong in the application. */
export async function loadCode(code: CodeRef): Promise<Application> {
  if (code.module.startsWith('file:')) {
    if (/\.[mc]?ts$/.test(code.module)) prepareTypeScript()
    prepareOwnName(fileURLToPath(code.module))
  }
  try {
    const module = (await import(code.module)) as Record<string, unknown>
    const make = module[code.export]
    if (typeof make !== 'function') {
      throw new EngineError('MODULE_NOT_LOADED', `${code.module} has no function "${code.export}"`)
    }
    return (await (make as (input: unknown) => unknown)(code.input)) as Application
  } catch (thrown) {
    if (thrown instanceof EngineError) throw thrown
    const cause = asError(thrown)
    throw new EngineError('MODULE_NOT_LOADED', `${code.module}: ${cause.message}`, { cause })
  }
}
