// What the file connectors say when something goes wrong.
import { asError, EngineError } from 'gearpump/spi'
import { systemCode } from './file-system.ts'

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC:
    'the disk is full: make room; it is tried again until there is some, and nothing is told done meanwhile',
  EDQUOT: 'the quota is used up: make room; it is tried again until there is some',
  EROFS: 'the disk is mounted read-only',
  EACCES: 'the user that runs the executor may not do this: change the permissions',
  EPERM: 'the user that runs the executor may not do this: change the permissions',
  EMFILE:
    'too many files are open in this process: raise `ulimit -n`, or spread the files over more executors',
  EIO: 'the disk does not answer as it should: look at the log of the system',
}

export function fileFailed(path: string, doing: 'read' | 'write', thrown: unknown): EngineError {
  const cause = asError(thrown)
  const code = systemCode(cause)
  const verb = doing === 'read' ? 'cannot be read' : 'cannot be written'
  return new EngineError('FILE_FAILED', `${path} ${verb}: ${cause.message}`, {
    hint: HINTS[code ?? ''] ?? 'it is tried again, after a wait that grows',
    details: { path, code },
    cause,
  })
}

export function notFound(path: string, what: 'file' | 'directory', cause?: unknown): EngineError {
  return new EngineError('FILE_NOT_FOUND', `there is no ${what} ${path}`, {
    hint:
      what === 'file'
        ? 'every executor must see it under this path; a source that follows files (tail: true) waits for it'
        : 'make the directory first; every executor must see it under this path',
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}

export function tooManyFiles(path: string, max: number): EngineError {
  return new EngineError('FILE_FAILED', `${path} is not read: this task has ${max} files already`, {
    hint: 'give the source more tasks (parallelism), or move away files that are finished',
    details: { path },
  })
}

export function lineTooLong(path: string, start: number, bytes: number, max: number): EngineError {
  return new EngineError(
    'LINE_TOO_LONG',
    `${path}: the line at byte ${start} has ${bytes} bytes, more than ${max}: it was left out`,
    {
      hint: 'raise lineBytesMax, or connect the port `oversize`, which gets { path, offset, bytes }',
      details: { path, offset: start, bytes },
    },
  )
}
