// Memory and CPU time of this process and of all below it, read from /proc. Linux only: elsewhere the readings are 0 and
// the bounds on them hold without meaning anything, which `measurable` tells.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const KB_PER_MB = 1024
/** Clock ticks of /proc: 100 per second on every Linux there is for Node. */
const MS_PER_TICK = 10
// Fields of /proc/PID/stat after the name in brackets.
const PARENT = 1
const USER_TICKS = 11
const SYSTEM_TICKS = 12

export const measurable = existsSync('/proc/self/stat')

export interface ProcessReading {
  readonly pid: number
  /** The command's short name: node, python3. */
  readonly name: string
  readonly cpuMs: number
  readonly rssMb: number
}

/** This process and all below it that live now. */
export function family(root = process.pid): ProcessReading[] {
  if (!measurable) return []
  const all = new Map<number, { name: string; fields: string[] }>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    const stat = pid > 0 ? readOrNothing(`/proc/${pid}/stat`) : undefined
    if (stat === undefined) continue
    const nameEnd = stat.lastIndexOf(')')
    all.set(pid, {
      name: stat.slice(stat.indexOf('(') + 1, nameEnd),
      fields: stat.slice(nameEnd + 2).split(' '),
    })
  }
  const members = new Set([root])
  // Parents are not always listed before their children.
  for (let before = 0; before !== members.size; ) {
    before = members.size
    for (const [pid, { fields }] of all) if (members.has(Number(fields[PARENT]))) members.add(pid)
  }
  return [...members].flatMap(pid => {
    const process = all.get(pid)
    if (process === undefined) return []
    const { name, fields } = process
    const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])
    return [{ pid, name, cpuMs: ticks * MS_PER_TICK, rssMb: residentMb(pid) }]
  })
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
