// Code of the user's that calls `process.exit()` takes all tasks of the process with it, without a word. Listeners of 'exit' are
// called within that call, so its stack says who it was.

const LIMIT = 20

/** For a listener of 'exit': a line and the frames of who called `process.exit(code)`; undefined if nobody did. */
export function exitCaller(code: number): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = LIMIT
  const frames = (new Error().stack ?? '').split('\n')
  Error.stackTraceLimit = limit
  const call = frames.findIndex(frame => frame.includes('at process.exit '))
  if (call < 0) return undefined
  const callers = frames.slice(call + 1).filter(frame => !frame.includes('(node:'))
  return [
    `process.exit(${code}) was called, which ends all tasks of this process:`,
    ...callers,
    '',
  ].join('\n')
}
