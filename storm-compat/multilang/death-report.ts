// What is told when a shell component's process has ended or could not be started: one error that names component,
// task and process, how it ended, and the last it said, so that the cause is read off it without a look at other logs.
import { existsSync } from 'node:fs'
import { EngineError } from 'gearpump/spi'
import { oldLibraryHint } from './old-library.ts'
import type { ShellExit } from './shell-process.ts'

/** stderr lines put into the message; all that were kept are in `details`. */
const STDERR_LINES_SHOWN = 20

export interface ShellDeath {
  readonly componentId: string
  readonly taskId: number
  readonly command: readonly string[]
  readonly pid: number | undefined
  readonly exit: ShellExit
  /** Why we ended it; undefined when it ended by itself. */
  readonly verdict: EngineError | undefined
  /** The last `error` it sent, when that was shortly before. */
  readonly lastError: string | undefined
  /** Output that never became a message. */
  readonly leftover: string | undefined
  readonly handshakeDone: boolean
}

/** SHELL_DIED, or SHELL_TIMED_OUT or SHELL_PROTOCOL when that is why it was ended. */
export function deathError(death: ShellDeath): EngineError {
  const { componentId, taskId, pid, exit, verdict } = death
  const code: EngineError['code'] = verdict === undefined ? 'SHELL_DIED' : verdict.code
  const what =
    verdict === undefined ? exitText(exit) : `${verdict.message}; it was ended (${exitText(exit)})`
  const when = death.handshakeDone ? '' : ' before it had said its pid'
  const parts = [
    `component "${componentId}" task ${taskId}: its process (${death.command.join(' ')}, pid ${pid ?? 'none'}) ${what}${when}`,
  ]
  if (death.lastError !== undefined) parts.push(`its last error was: ${death.lastError.trimEnd()}`)
  if (exit.stderrTail.length > 0) {
    parts.push(
      'its last stderr lines were:',
      ...exit.stderrTail.slice(-STDERR_LINES_SHOWN).map(line => `  ${line}`),
    )
  }
  if (death.leftover !== undefined)
    parts.push(`its output ended within a message: ${death.leftover}`)
  return new EngineError(code, parts.join('\n'), {
    hint: verdict?.hint ?? hintFor(death),
    details: {
      component: componentId,
      task: taskId,
      pid,
      exitCode: exit.code,
      signal: exit.signal,
      stderr: exit.stderrTail,
    },
    ...(verdict === undefined ? {} : { cause: verdict }),
  })
}

function exitText(exit: ShellExit): string {
  return exit.signal === null ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`
}

function hintFor(death: ShellDeath): string {
  if (death.verdict === undefined && death.exit.signal === 'SIGKILL') {
    return 'Nobody here sent SIGKILL: was the machine out of memory?'
  }
  const old = oldLibraryHint(death.exit.stderrTail.join('\n'))
  if (old !== undefined) return old
  if (!death.handshakeDone)
    return 'Run the command by hand in the resources directory: it fails while starting.'
  return 'It is started again, and what it held is failed; mend what its last lines say.'
}

/** What a child has reported by itself, in Storm's words; with what to do where we know it. */
export function shellError(text: string): Error {
  const old = oldLibraryHint(text)
  return new Error(`Shell Process Exception: ${text}${old === undefined ? '' : `\n${old}`}`)
}

/** SHELL_START_FAILED: there is no process at all. */
export function startError(
  place: { componentId: string; taskId: number; command: readonly string[]; directory: string },
  cause: Error,
): EngineError {
  const who = `component "${place.componentId}" task ${place.taskId}`
  return new EngineError(
    'SHELL_START_FAILED',
    `${who}: cannot start ${JSON.stringify(place.command)} in ${place.directory}: ${cause.message}`,
    {
      hint: startHint(place.command[0] ?? '', place.directory, cause),
      details: { component: place.componentId, task: place.taskId, command: place.command },
      cause,
    },
  )
}

// ENOENT is said of the program as well as of the directory it is to run in.
function startHint(program: string, directory: string, cause: NodeJS.ErrnoException): string {
  if (cause.code === 'EACCES')
    return `${program} may not be executed: archives lose the executable bit; chmod +x it, or start it by its interpreter.`
  if (!existsSync(directory))
    return (
      `There is no directory ${directory}: components run in the resources directory, ` +
      '"resources" beside the topology\'s file, or what `--resources DIR` names.'
    )
  return `Is ${program} installed and on the PATH of this process?`
}
