// Memory and CPU time of this process and of all below it, read from /proc. Linux only: elsewhere nothing is
// read, and bounds on it hold without meaning anything.
import { existsSync, readFileSync } from 'node:fs'

const KB_PER_MB = 1024
/** Clock ticks of /proc: 100 per second on every Linux there is for Node. */
const MS_PER_TICK = 10
// Fields of /proc/PID/stat after the name in brackets.
const USER_TICKS = 11
const SYSTEM_TICKS = 12

const measurable = existsSync(`/proc/${process.pid}/task/${process.pid}/children`)

export interface ProcessReading {
  readonly pid: number
  /** The command's short name: node, python3. */
  readonly name: string
  readonly cpuMs: number
  readonly rssMb: number
}

/** This process and all below it that live now. Cheap: it runs beside what it measures. */
export function family(root = process.pid): ProcessReading[] {
  const members: ProcessReading[] = []
  const pids = measurable ? [root] : []
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    const stat = readOrNothing(`/proc/${pid}/stat`)
    if (stat === undefined) continue
    const nameEnd = stat.lastIndexOf(')')
    const name = stat.slice(stat.indexOf('(') + 1, nameEnd)
    const fields = stat.slice(nameEnd + 2).split(' ')
    const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])
    members.push({ pid, name, cpuMs: ticks * MS_PER_TICK, rssMb: residentMb(pid) })
    pids.push(...childrenOf(pid))
  }
  return members
}

// The kernel lists children by the thread that made them; Node makes them in its first one.
function childrenOf(pid: number): number[] {
  const list = readOrNothing(`/proc/${pid}/task/${pid}/children`) ?? ''
  return list.split(' ').filter(Boolean).map(Number)
}

export function residentMbOf(members: readonly ProcessReading[]): number {
  return members.reduce((sum, member) => sum + member.rssMb, 0)
}

/** CPU time between two readings, over the processes that live in both, by name. */
export function cpuBetween(
  from: readonly ProcessReading[],
  to: readonly ProcessReading[],
): Map<string, number> {
  const before = new Map(from.map(member => [member.pid, member.cpuMs]))
  const spent = new Map<string, number>()
  for (const { pid, name, cpuMs } of to) {
    const start = before.get(pid)
    if (start !== undefined) spent.set(name, (spent.get(name) ?? 0) + cpuMs - start)
  }
  return spent
}

function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+)/m.exec(readOrNothing(`/proc/${pid}/status`) ?? '')?.[1]
  return Number(kb ?? 0) / KB_PER_MB
}

// A process may end between the listing and the look.
function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
