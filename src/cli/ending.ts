// How a run ended, what it means for the exit code, and the sentence that says so. Pure.
import type { RunFigures } from '../app/figures.ts'
import { EngineError, type ErrorCode } from '../base/errors.ts'
import { showDuration } from './durations.ts'

/**
 * drained: nothing was left to do. time: `--for` is over. interrupted: asked to end, and drained as far as it went.
 * cut: asked twice. failed: the application could not go on.
 */
export type Ending = 'drained' | 'time' | 'interrupted' | 'cut' | 'failed'

export interface Outcome {
  readonly ending: Ending
  /** Undefined: nobody could be asked any more. */
  readonly figures: RunFigures | undefined
  readonly elapsedMs: number
}

export const EXIT_OK = 0
export const EXIT_FAILED = 1
export const EXIT_BAD_INPUT = 2

/** 0: drained, or the time is over, and every id that failed was acked later. 1: all else. */
export function exitCode({ ending, figures }: Outcome): number {
  if (figures === undefined || figures.unresolved > 0) return EXIT_FAILED
  switch (ending) {
    case 'drained':
    case 'time':
      return EXIT_OK
    case 'interrupted':
      return figures.pending === 0 ? EXIT_OK : EXIT_FAILED
    default:
      return EXIT_FAILED
  }
}

/** What the user gave is wrong; everything else is a failure of the run. */
const INPUT_CODES: readonly ErrorCode[] = [
  'BAD_INPUT',
  'SETTINGS_INVALID',
  'SECURITY_REQUIRED',
  'BUNDLE_REFUSED',
  'CODE_NOT_PORTABLE',
  'FILE_NOT_FOUND',
  'MODULE_NOT_LOADED',
  'TOPOLOGY_INVALID',
  'FLUX_INVALID',
  'SERIALIZER_UNKNOWN',
]

/** The exit code of an error that ended the command. */
export function errorExitCode(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code
  const input = error instanceof EngineError && INPUT_CODES.includes(code as ErrorCode)
  return input ? EXIT_BAD_INPUT : EXIT_FAILED
}

const BEGINNINGS: Readonly<Record<Ending, string>> = {
  drained: 'drained',
  time: 'time is over',
  interrupted: 'ended as asked',
  cut: 'ended at once',
  failed: 'failed',
}

/** One sentence: how it ended, after how long, and what became of the roots. */
export function endingSentence({ ending, figures, elapsedMs }: Outcome): string {
  const begin = `${BEGINNINGS[ending]} after ${showDuration(elapsedMs)}`
  if (figures === undefined) return `${begin}; its figures could not be had`
  const { emitted, acked, failed, pending, lost, unresolved } = figures
  if (emitted === 0) return `${begin}; no message had an id`
  const parts = [`${count(emitted)} emitted`, `${count(acked)} acked`]
  if (failed > 0)
    parts.push(`${count(failed)} failed${unresolved === 0 ? ', all acked later' : ''}`)
  if (pending > 0) parts.push(`${count(pending)} left open`)
  if (lost > 0) parts.push(`${count(lost)} lost with a task that died`)
  if (unresolved > 0)
    parts.push(`${count(unresolved)} ${unresolved === 1 ? 'id' : 'ids'} failed for good`)
  return `${begin}: ${parts.join(', ')}`
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}
