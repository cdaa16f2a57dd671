// Finds and ends processes by a mark in their environment, which whatever a process starts inherits: so that nothing
// outlives what it belongs to, whoever was killed in between. Where there is no /proc, processes end because their
// parents closed what they read from; nothing more can be done.
import { readdirSync, readFileSync } from 'node:fs'

/** A process that is ended may just have started another: so many looks are enough for any but a fork bomb. */
const SWEEPS_MAX = 5

/** Ends, at once, every other process whose environment has `mark` (`NAME=value`). Returns their pids. Synchronous. */
export function endMarked(mark: string): number[] {
  const ended = new Set<number>()
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    const pids = markedProcesses(mark).filter(pid => !ended.has(pid))
    if (pids.length === 0) break
    for (const pid of pids) {
      ended.add(pid)
      kill(pid)
    }
  }
  return [...ended]
}

/** Pids of all other processes that have `mark`. */
export function markedProcesses(mark: string): number[] {
  return processIds().filter(pid => pid !== process.pid && hasMark(pid, mark))
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
  } catch {
    // No /proc on this system.
    return []
  }
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${mark}\0`)
  } catch {
    // It has ended since, or belongs to somebody else, and then it is none of ours.
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was quicker: gone is what is wanted.
  }
}
