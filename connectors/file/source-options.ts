// What can be said about a file source, and what is made of it. All mistakes are told at once, when the source is declared.
import { basename, dirname } from 'node:path'
import type { Problem } from 'gearpump/spi'
import { UserError } from 'gearpump/spi'
import { checkOptions, type OptionRule } from '../base/option-rules.ts'

/** Exactly one of `path`, `paths`, `directory` and `glob` says which files. */
export interface FileSourceOptions {
  /** One file. */
  readonly path?: string
  /** Several files, dealt out among the tasks of the source by their place in this list. */
  readonly paths?: readonly string[]
  /** All files in a directory, not in those below it, dealt out among the tasks by their number on the disk. */
  readonly directory?: string
  /** Of `directory`: only names like this; `*` is any text, `?` any character. */
  readonly match?: string
  /** `directory` and `match` in one: `logs/*.log`. */
  readonly glob?: string
  /** `lines`: each line a string (default). `bytes`: blocks of `blockBytes` as Buffers, without a look at lines. */
  readonly format?: 'lines' | 'bytes'
  /** Follows the files: reads what is added, notices new, renamed and emptied ones, and never ends. Default: false. */
  readonly tail?: boolean
  /** Of lines. Default: utf8. */
  readonly encoding?: 'utf8' | 'latin1'
  /** Drops a carriage return before each newline. Default: false. */
  readonly crlf?: boolean
  /** A longer line is left out: told on the port `oversize`, or reported where nothing listens there. Default: 1 MiB. */
  readonly lineBytesMax?: number
  /** Bytes read at a time. Default: 512 KiB. */
  readonly chunkBytes?: number
  /** Of the format `bytes`: size of a block; the last one of a file may be shorter. Default: 64 KiB. */
  readonly blockBytes?: number
  /** Messages that may be under way, and are kept in memory for a replay. Default: 10,000. */
  readonly openMax?: number
  /** How often followed files are looked at. Default: 250. */
  readonly pollMs?: number
}

export type Where =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  | { readonly kind: 'directory'; readonly directory: string; readonly pattern: RegExp }

export interface FileSourceSettings {
  readonly where: Where
  readonly format: 'lines' | 'bytes'
  readonly tail: boolean
  readonly encoding: 'utf8' | 'latin1'
  readonly crlf: boolean
  readonly lineBytesMax: number
  readonly chunkBytes: number
  readonly blockBytes: number
  readonly openMax: number
  readonly pollMs: number
}

const MIB = 1024 * 1024

const RULES: Readonly<Record<keyof FileSourceOptions, OptionRule>> = {
  path: { type: 'path' },
  paths: { type: 'paths' },
  directory: { type: 'path' },
  match: { type: 'text' },
  glob: { type: 'text' },
  format: { type: 'choice', of: ['lines', 'bytes'] },
  tail: { type: 'boolean' },
  encoding: { type: 'choice', of: ['utf8', 'latin1'] },
  crlf: { type: 'boolean' },
  lineBytesMax: { type: 'number', min: 1, max: 64 * MIB },
  // Less than a disk's block makes no sense but in tests.
  chunkBytes: { type: 'number', min: 1, max: 64 * MIB },
  blockBytes: { type: 'number', min: 1, max: 16 * MIB },
  openMax: { type: 'number', min: 1, max: 1_000_000 },
  pollMs: { type: 'number', min: 1, max: 3_600_000 },
}

const WHERE = ['path', 'paths', 'directory', 'glob'] as const

/** Throws a UserError that lists every mistake. */
export function sourceSettings(options: FileSourceOptions): FileSourceSettings {
  const problems = checkOptions(options, RULES)
  const given = WHERE.filter(name => options?.[name] !== undefined)
  if (given.length !== 1) {
    problems.push({
      place: given.length === 0 ? 'path' : given.join(', '),
      message: given.length === 0 ? 'nothing says which files are read' : 'only one may be given',
      hint: 'give one of path, paths, directory (with match) and glob',
    })
  }
  if (options?.match !== undefined && options.directory === undefined)
    problems.push({ place: 'match', message: 'goes with directory only' })
  const where = problems.length === 0 ? whereOf(options, problems) : undefined
  if (where === undefined) throw new UserError('BAD_INPUT', 'fileSource', problems)
  return {
    where,
    format: options.format ?? 'lines',
    tail: options.tail ?? false,
    encoding: options.encoding ?? 'utf8',
    crlf: options.crlf ?? false,
    lineBytesMax: options.lineBytesMax ?? MIB,
    chunkBytes: options.chunkBytes ?? MIB / 2,
    blockBytes: options.blockBytes ?? 64 * 1024,
    openMax: options.openMax ?? 10_000,
    pollMs: options.pollMs ?? 250,
  }
}

function whereOf(options: FileSourceOptions, problems: Problem[]): Where | undefined {
  const { path, paths, directory, match = '*', glob } = options
  if (path !== undefined) return { kind: 'paths', paths: [path] }
  if (paths !== undefined) return { kind: 'paths', paths }
  if (directory !== undefined) return { kind: 'directory', directory, pattern: patternOf(match) }
  const folder = dirname(glob!)
  if (/[*?]/.test(folder)) {
    problems.push({
      place: 'glob',
      message: `"${glob}" has a wildcard in its directory`,
      hint: 'wildcards stand in the name of the file only; declare one source for each directory',
    })
    return undefined
  }
  return { kind: 'directory', directory: folder, pattern: patternOf(basename(glob!)) }
}

function patternOf(match: string): RegExp {
  const escaped = match.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/\*/g, '.*').replace(/\?/g, '.')}$`, 's')
}
