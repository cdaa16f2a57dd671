// Reading what a shell component sends, as leniently as is safe: libraries differ in what they leave out and in the
// types they use, and Storm itself kills the worker over several of them. What has no sense at all is an error here.
import { EngineError } from 'gearpump/spi'
import type { LogLevel } from '../component/api.ts'
import { Double } from '../component/values.ts'
import { writeJson } from './json.ts'

export type ShellMessage = Readonly<Record<string, unknown>>

export interface EmitCommand {
  readonly values: readonly unknown[]
  readonly stream: string
  /** Ids of the tuples it is anchored to. */
  readonly anchors: readonly string[]
  /** A spout's message id, any JSON value; undefined when there is none. */
  readonly id: unknown
  /** The target of a direct emit; undefined when it is none. */
  readonly task: number | undefined
  readonly wantsTaskIds: boolean
}

const NO_ANCHORS: readonly string[] = []

/** Throws SHELL_PROTOCOL when there is no tuple or the target task is no number. */
export function readEmit(message: ShellMessage): EmitCommand {
  const tuple = message.tuple
  if (tuple === undefined || tuple === null) throw protocolError('sent an emit without a tuple')
  const { anchors, id, stream, need_task_ids: needTaskIds } = message
  const task = taskOf(message.task)
  return {
    values: Array.isArray(tuple) ? tuple : [tuple],
    stream: stream === undefined || stream === null ? 'default' : textOf(stream),
    anchors: anchors === undefined || anchors === null ? NO_ANCHORS : anchorIds(anchors),
    // Only null and absence mean unreliable: 0, false and '' are ids like any other.
    id: id === null ? undefined : id,
    task,
    // A direct emit gets no answer, asked for or not; otherwise everything but a plain no asks for one.
    wantsTaskIds: task === undefined && needTaskIds !== false && needTaskIds !== 'false',
  }
}

function anchorIds(anchors: unknown): readonly string[] {
  return Array.isArray(anchors) ? anchors.map(textOf) : [textOf(anchors)]
}

/** Task 0 means "not direct": libraries send it for a missing one. */
function taskOf(task: unknown): number | undefined {
  if (task === undefined || task === null) return undefined
  const number = Number(task instanceof Double ? task.value : task)
  if (!Number.isInteger(number))
    throw protocolError(`sent an emit to task ${writeJson(task)}, which is no task id`)
  return number === 0 ? undefined : number
}

/** Text where text is expected: as it is, or the JSON of anything else. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  return Buffer.isBuffer(value) ? value.toString('utf8') : writeJson(value)
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

/** The level of a log command; anything but 0..4 is INFO. */
export function levelOf(level: unknown): LogLevel {
  const number = level instanceof Double ? level.value : level
  return (typeof number === 'number' ? LEVELS[number] : undefined) ?? 'info'
}

export function protocolError(message: string, cause?: unknown): EngineError {
  return new EngineError('SHELL_PROTOCOL', message, cause === undefined ? {} : { cause })
}
