// The settings of shell components, read from the conf in one place. A value that is no positive number counts as not
// given: confs come from YAML and Thrift, where numbers arrive as strings now and then.
import type { Conf } from '../component/api.ts'

/** Storm's supervisor.worker.timeout.secs. */
export const TIMEOUT_SECS_DEFAULT = 30

/** Storm's topology.shellbolt.max.pending. */
export const MAX_PENDING_DEFAULT = 100

const MESSAGE_TIMEOUT_SECS_DEFAULT = 30

const SELDOM_BEATS_TIMEOUT_MS = 20_000

/** How long a child may be silent while it owes a sign of life. */
export function subprocessTimeoutMs(conf: Conf): number {
  const secs =
    positive(conf['topology.subprocess.timeout.secs']) ??
    positive(conf['supervisor.worker.timeout.secs'])
  return 1000 * (secs ?? TIMEOUT_SECS_DEFAULT)
}

/** The bound on one message of a child, if the user gave one. */
export function messageBytesMax(conf: Conf): number | undefined {
  return positive(conf['wire.message.bytes.max'])
}

/** Whether task ids may be sent before they are asked for. */
export function taskIdsAhead(conf: Conf): boolean {
  return isOn(conf['wire.task.ids.ahead'])
}

/** Whether bolts get heartbeats and must answer them; libraries from before Storm 0.9.3 take them for tuples. */
export function heartbeats(conf: Conf): boolean {
  return isOn(conf['wire.heartbeats'])
}

/** Whether a wedged child that was asked late is still found in good time: not where the user wants it found in seconds. */
export function seldomBeats(conf: Conf): boolean {
  return subprocessTimeoutMs(conf) >= SELDOM_BEATS_TIMEOUT_MS
}

function isOn(given: unknown): boolean {
  return given !== false && given !== 'false'
}

/** How many tuples may wait to be written to a bolt. */
export function maxPending(conf: Conf): number {
  return positive(conf['topology.shellbolt.max.pending']) ?? MAX_PENDING_DEFAULT
}

/**
 * How long a bolt may keep a tuple before it is failed: a root fails between one and two message timeouts, so what is
 * held longer belongs to none. Undefined where message timeouts are off.
 */
export function forgetAfterMs(conf: Conf): number | undefined {
  if (conf['topology.enable.message.timeouts'] === false) return undefined
  return 2_000 * (positive(conf['topology.message.timeout.secs']) ?? MESSAGE_TIMEOUT_SECS_DEFAULT)
}

function positive(value: unknown): number | undefined {
  const number = Number(value ?? Number.NaN)
  return number > 0 ? number : undefined
}
