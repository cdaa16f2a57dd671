// What the UI does to a topology when it is told to by POST: the calls of a Nimbus, and Storm's answer to each.
import { EngineError } from 'gearpump/spi'
import type { LogConfig } from '../thrift/storm-requests.ts'
import type { Json } from './cluster-pages.ts'
import type { NimbusCalls } from './nimbus-calls.ts'
import { logConfigJson } from './topology-pages.ts'
import { UiError } from './ui-error.ts'

/** A wait longer than this is no number of seconds. */
const WAIT_SECS_MAX = 2 ** 31 - 1
/** Log4j's. */
const LEVELS = ['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL']

function success(topologyId: string, topologyOperation: string): Json {
  return { topologyOperation, topologyId, status: 'success' }
}

async function nameOf(nimbus: NimbusCalls, id: string): Promise<string> {
  const options = { num_err_choice: 'NONE' } as const
  return (await nimbus.call('getTopologyInfoWithOpts', { id, options })).name
}

export async function activate(nimbus: NimbusCalls, id: string): Promise<Json> {
  await nimbus.call('activate', { name: await nameOf(nimbus, id) })
  return success(id, 'activate')
}

export async function deactivate(nimbus: NimbusCalls, id: string): Promise<Json> {
  await nimbus.call('deactivate', { name: await nameOf(nimbus, id) })
  return success(id, 'deactivate')
}

export async function kill(nimbus: NimbusCalls, id: string, wait: string): Promise<Json> {
  const options = { wait_secs: waitSecs(wait) }
  await nimbus.call('killTopologyWithOpts', { name: await nameOf(nimbus, id), options })
  return success(id, 'kill')
}

/** `body` may hold `{"rebalanceOptions": {"numWorkers": 2, "executors": {"split": 4}}}`. */
export async function rebalance(
  nimbus: NimbusCalls,
  id: string,
  wait: string,
  body: unknown,
): Promise<Json> {
  const { rebalanceOptions: asked = {} } = objectOf(body ?? {}, 'the body')
  const { numWorkers, executors = {} } = objectOf(asked, 'rebalanceOptions')
  const counts = Object.entries(objectOf(executors, 'executors'))
  const options = {
    wait_secs: waitSecs(wait),
    ...(numWorkers === undefined ? {} : { num_workers: count(numWorkers, 'numWorkers') }),
    num_executors: new Map(counts.map(([name, n]) => [name, count(n, `executors of ${name}`)])),
  }
  await nimbus.call('rebalance', { name: await nameOf(nimbus, id), options })
  return success(id, 'rebalance')
}

/** Of a topology, or of one of its components (`''` = all). */
export async function debug(
  nimbus: NimbusCalls,
  id: string,
  { component, action, percent }: { component: string; action: string; percent: string },
): Promise<Json> {
  if (action !== 'enable' && action !== 'disable') throw new UiError(404, `debug/${action}`)
  const name = await nameOf(nimbus, id)
  const samplingPercentage = Number(percent)
  if (!Number.isFinite(samplingPercentage)) throw new UiError(400, `${percent} is no percentage`)
  try {
    const enable = action === 'enable'
    await nimbus.call('debug', { name, component, enable, samplingPercentage })
  } catch (error) {
    // A Nimbus behind Thrift refuses by an application exception.
    if (error instanceof EngineError && error.code === 'THRIFT_CALL_FAILED')
      throw new UiError(501, error.message)
    throw error
  }
  return success(id, `debug/${action}`)
}

export async function setLogLevels(nimbus: NimbusCalls, id: string, body: unknown): Promise<Json> {
  const { namedLoggerLevels } = objectOf(body, 'the body')
  const wanted = Object.entries(objectOf(namedLoggerLevels, 'namedLoggerLevels'))
  const config: LogConfig = {
    named_logger_level: new Map(wanted.map(([logger, level]) => [logger, levelOf(logger, level)])),
  }
  await nimbus.call('setLogConfig', { name: id, config })
  return logConfigJson(await nimbus.call('getLogConfig', { name: id }))
}

function levelOf(logger: string, value: unknown) {
  const { target_level: target, timeout = 0 } = objectOf(value, logger)
  if (target === undefined || target === null) return { action: 'REMOVE' } as const
  const level = String(target).toUpperCase()
  if (!LEVELS.includes(level)) {
    throw new UiError(400, `${logger}: ${level} is no level, which are ${LEVELS.join(', ')}`)
  }
  const reset_log_level_timeout_secs = count(timeout, `timeout of ${logger}`)
  return { action: 'UPDATE', target_log_level: level, reset_log_level_timeout_secs } as const
}

function waitSecs(text: string): number {
  return count(/^\d+$/.test(text) ? Number(text) : text, 'the wait in seconds')
}

function count(value: unknown, what: string): number {
  const whole = typeof value === 'number' && Number.isInteger(value)
  if (whole && value >= 0 && value <= WAIT_SECS_MAX) return value
  throw new UiError(400, `${what}: ${JSON.stringify(value)} is no whole number`)
}

function objectOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw new UiError(400, `${what} is no JSON object`)
}
