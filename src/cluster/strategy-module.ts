// A placement strategy that a user wrote: a module that exports a function `strategy`. It gets frozen copies of the
// offers and the request, so that it can change nothing but its answer, and its answer is checked before anybody acts on
// it. Whatever it does wrong is an error that names the module.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asError, EngineError } from '../base/errors.ts'
import { faultOf, type Placement, type Strategy } from './scheduler.ts'

/**
 * Imports the module and wraps its strategy in checks.
 *
 * @example
 * // newest-first.mjs: export function strategy(offers, request) { return { placed: [...] } }
 * const strategies = new Map([...builtIn, ['newest-first', await loadStrategy('newest-first.mjs')]])
 */
export async function loadStrategy(file: string): Promise<Strategy> {
  const path = resolve(file)
  const strategy = await strategyOf(path)
  return (offers, request) => {
    const copy = deepFrozen(structuredClone({ offers, request }))
    const placement = called(path, () => strategy(copy.offers, copy.request))
    const fault = faultOf(placement, offers, request)
    if (fault !== undefined) throw failed(path, fault)
    return placement
  }
}

async function strategyOf(path: string): Promise<Strategy> {
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (thrown) {
    const cause = asError(thrown)
    const message = `placement strategy ${path} cannot be loaded: ${cause.message}`
    throw new EngineError('MODULE_NOT_LOADED', message, { cause })
  }
  const { strategy } = module
  if (typeof strategy === 'function') return strategy as Strategy
  const names = Object.keys(module).slice(0, 10).join(', ')
  throw new EngineError(
    'MODULE_NOT_LOADED',
    `placement strategy ${path} exports no function "strategy"`,
    { hint: names === '' ? 'it exports nothing' : `it exports: ${names}` },
  )
}

function called(path: string, strategy: () => Placement): Placement {
  try {
    return strategy()
  } catch (thrown) {
    const cause = asError(thrown)
    throw failed(path, `threw: ${cause.message}`, cause)
  }
}

function failed(path: string, what: string, cause?: Error): EngineError {
  return new EngineError('STRATEGY_FAILED', `placement strategy ${path} ${what}`, {
    hint: 'correct the module, or choose another strategy by scheduler.strategy',
    details: { module: path },
    cause,
  })
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFrozen(inner)
  return Object.freeze(value)
}
