// The engine's own log lines: one function that is passed in, a level, and a writer for a terminal or for JSON.
// User data is never logged by the engine itself; components log through it under their own name.

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type Level = (typeof LEVELS)[number]

/** One log line. `where` names who speaks: `executor 2`, `split[3]`. */
export interface LogLine {
  level: Exclude<Level, 'silent'>
  where: string
  text: string
  /** ms since 1970. */
  timeMs: number
}

export interface Log {
  write(line: LogLine): void
}

export function log(sink: Log, level: LogLine['level'], where: string, text: string): void {
  sink.write({ level, where, text, timeMs: Date.now() })
}

export const noLog: Log = { write: () => undefined }

/** Writes lines to `out` from `level` up, as text or as one JSON object each. */
export function streamLog(
  out: { write(text: string): unknown },
  level: Level,
  format: 'text' | 'json',
): Log {
  const least = LEVELS.indexOf(level)
  return {
    write: line => {
      if (LEVELS.indexOf(line.level) < least) return
      out.write(format === 'json' ? `${JSON.stringify(toJson(line))}\n` : toText(line))
    },
  }
}

function toJson(line: LogLine): Record<string, unknown> {
  return {
    time: new Date(line.timeMs).toISOString(),
    level: line.level,
    where: line.where,
    message: line.text,
  }
}

// Control characters would let a component move the reader's cursor or forge lines of others.
function toText(line: LogLine): string {
  const time = new Date(line.timeMs).toISOString().slice(11, 23)
  const text = line.text.replace(/[^\P{Cc}\t\n]/gu, '?')
  return `${time} ${line.level.toUpperCase().padEnd(5)} ${line.where} ${text.replace(/\n(?!$)/g, '\n    ')}\n`
}
