// What can be said about a file sink, and what is made of it. All mistakes are told at once, when the sink is declared.
import { basename, dirname, join } from 'node:path'
import { type Problem, UserError } from 'gearpump/spi'
import { checkOptions, type OptionRule } from '../base/option-rules.ts'

export interface FileSinkOptions<In = unknown> {
  /**
   * Where the files go: `out/{processor}-{index}-{sequence}.log`. The name must hold `{index}`, the number of the task among
   * those of its processor, and `{sequence}`, the number of the file; `{processor}` may stand anywhere. The directory is made.
   */
  readonly path: string
  /** A file this large is finished and the next one begun. Default: 128 MiB. */
  readonly rollBytes?: number
  /** A file this old is finished, ms. Default: 60,000. */
  readonly rollAfterMs?: number
  /** So much is collected for one write and sync, or what came in `flushAfterMs`. Default: 1 MiB. */
  readonly flushBytes?: number
  /** Default: 5. */
  readonly flushAfterMs?: number
  /**
   * The line of a message, without its end; it should hold no newline. If not given, texts and bytes are written as they are,
   * everything else as JSON.
   */
  readonly encode?: (value: In) => string | Uint8Array
}

export interface FileSinkSettings {
  /** With `{processor}` and `{index}` in it. */
  readonly directory: string
  readonly name: string
  readonly rollBytes: number
  readonly rollAfterMs: number
  readonly flushBytes: number
  readonly flushAfterMs: number
}

const MIB = 1024 * 1024

const RULES: Readonly<Record<keyof FileSinkOptions, OptionRule>> = {
  path: { type: 'path' },
  rollBytes: { type: 'number', min: 1, max: Number.MAX_SAFE_INTEGER },
  rollAfterMs: { type: 'number', min: 1, max: 2 ** 31 - 1 },
  flushBytes: { type: 'number', min: 1, max: 64 * MIB },
  flushAfterMs: { type: 'number', min: 0, max: 60_000 },
  encode: { type: 'function' },
}

const PLACEHOLDERS = new Set(['{processor}', '{index}', '{sequence}'])

/** Throws a UserError that lists every mistake. */
export function sinkSettings(options: FileSinkOptions<never>): FileSinkSettings {
  const problems = checkOptions(options, RULES)
  const path = options?.path
  if (path === undefined) problems.push({ place: 'path', message: 'is missing' })
  else if (typeof path === 'string') problems.push(...pathProblems(path))
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'fileSink', problems)
  return {
    directory: dirname(path),
    name: basename(path),
    rollBytes: options.rollBytes ?? 128 * MIB,
    rollAfterMs: options.rollAfterMs ?? 60_000,
    flushBytes: options.flushBytes ?? MIB,
    flushAfterMs: options.flushAfterMs ?? 5,
  }
}

function pathProblems(path: string): Problem[] {
  const problems: Problem[] = []
  const name = basename(path)
  for (const [found] of path.matchAll(/\{[^{}]*\}/g)) {
    if (!PLACEHOLDERS.has(found)) {
      const hint = `known: ${[...PLACEHOLDERS].join(', ')}`
      problems.push({ place: 'path', message: `${found} stands for nothing`, hint })
    }
  }
  for (const needed of ['{index}', '{sequence}']) {
    if (name.split(needed).length === 2 && !dirname(path).includes(needed)) continue
    problems.push({
      place: 'path',
      message: `the name of the file must hold ${needed}, once`,
      hint: `two tasks, or two files of one, would have the same name; such as ${suggested(path)}`,
    })
  }
  return problems
}

function suggested(path: string): string {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(basename(path).replace(/\{[^{}]*\}/g, ''))!
  return join(dirname(path), `${stem}-{index}-{sequence}${ending ?? ''}`)
}
