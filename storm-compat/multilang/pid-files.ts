// The pid files of one shell component: each process that speaks the protocol leaves an empty file named by its pid.
// They find processes that left the child's process group (a wrapper that starts its program in a new session). A pid
// may have been given to somebody else since, so a process is only touched if it is older than its file.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** How much older than its process a pid file may look: both clocks count in hundredths of a second at best. */
const CLOCK_SLACK_MS = 1_000

/** Clock ticks a second in /proc; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** Makes the directory, without files of an earlier child. */
export function emptyPidDir(pidDir: string): void {
  rmSync(pidDir, { recursive: true, force: true })
  mkdirSync(pidDir, { recursive: true })
}

/** Pids in the directory that still name the processes which made the files. */
export function livingPids(pidDir: string): number[] {
  if (!existsSync(pidDir)) return []
  return readdirSync(pidDir)
    .filter(name => /^[1-9]\d*$/.test(name))
    .map(Number)
    .filter(pid => pid > 1 && pid !== process.pid && isThatProcess(pid, join(pidDir, String(pid))))
}

function isThatProcess(pid: number, file: string): boolean {
  try {
    process.kill(pid, 0)
    const startedMs = startTimeMs(pid)
    // Where there is no /proc the pid has to be believed.
    return startedMs === undefined || startedMs <= statSync(file).mtimeMs + CLOCK_SLACK_MS
  } catch {
    // No such process, not ours to signal, or its file has just gone: nothing to end in any case.
    return false
  }
}

function startTimeMs(pid: number): number | undefined {
  if (!existsSync('/proc/stat')) return undefined
  const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets and may hold anything; the start time is the 22nd.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  if (boot === undefined || ticks === undefined) return undefined
  return (Number(boot) + Number(ticks) / TICKS_PER_SECOND) * 1000
}
