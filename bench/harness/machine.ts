// What a run cost and whether it was disturbed, read from /proc: CPU time and memory of this process and all below it,
// CPU time of the whole machine, and time stolen by the host. What the machine used and we did not is foreign
// load; beside more than a tenth of a core of it, figures mean little. Linux only.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

/** Clock ticks per second in /proc; 100 on every Linux there is for Node. */
const TICKS_PER_S = 100
const KB_PER_MB = 1024
/** Foreign load from which a run is called noisy, in cores. */
const NOISE_CORES = 0.1
/** Fields of /proc/stat's first line that are work: user, nice, system, irq, softirq. */
const BUSY_FIELDS = [1, 2, 3, 6, 7]
const STEAL_FIELD = 8

export interface Usage {
  /** Seconds of CPU per living process, of this one and all below it. */
  readonly cpuS: ReadonlyMap<number, number>
  /** Seconds of this process's children that have ended. */
  readonly endedS: number
  readonly machineS: number
  readonly stolenS: number
  readonly rssMb: number
  readonly atMs: number
}

export function usage(): Usage {
  const cpuS = new Map<number, number>()
  let rssMb = 0
  let endedS = 0
  for (const pid of family(process.pid)) {
    const fields = statOf(pid)
    if (fields === undefined) continue
    cpuS.set(pid, (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S)
    if (pid === process.pid) endedS = (Number(fields[13]) + Number(fields[14])) / TICKS_PER_S
    rssMb += residentMb(pid)
  }
  const machine = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/).map(Number)
  return {
    cpuS,
    endedS,
    machineS: BUSY_FIELDS.reduce((sum, field) => sum + machine[field]!, 0) / TICKS_PER_S,
    stolenS: machine[STEAL_FIELD]! / TICKS_PER_S,
    rssMb,
    atMs: performance.now(),
  }
}

export interface Cost {
  readonly cpu_cores: number
  /** Child processes of the engine's processes: the multi-lang children, in the cases that have them. */
  readonly children_cpu_cores: number
  readonly foreign_cpu_cores: number
  readonly steal_cores: number
  readonly rss_mb: number
  readonly noisy: boolean
}

/** What lies between two readings. */
export function cost(from: Usage, to: Usage): Cost {
  const seconds = (to.atMs - from.atMs) / 1000
  const spent = (pid: number) => to.cpuS.get(pid)! - (from.cpuS.get(pid) ?? 0)
  const all = [...to.cpuS.keys()].reduce((sum, pid) => sum + spent(pid), 0)
  const own = all + to.endedS - from.endedS
  const foreign = Math.max(0, to.machineS - from.machineS - own) / seconds
  return {
    cpu_cores: rounded(own / seconds),
    children_cpu_cores: rounded((own - spent(process.pid)) / seconds),
    foreign_cpu_cores: rounded(foreign),
    steal_cores: rounded((to.stolenS - from.stolenS) / seconds),
    rss_mb: Math.round(Math.max(from.rssMb, to.rssMb)),
    noisy: foreign > NOISE_CORES,
  }
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}

/** The machine in one line, for a table's head. */
export function machine(): string {
  const all = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  const model = all[0]?.model.trim() ?? 'unknown CPU'
  return `${all.length} × ${model}, ${memoryGb} GiB, Linux ${release()}, Node ${process.version}`
}

// A process that ends meanwhile is left out.
function family(pid: number): number[] {
  const found = [pid]
  for (let i = 0; i < found.length; i++) found.push(...childrenOf(found[i]!))
  return found
}

function childrenOf(pid: number): number[] {
  return whileAlive(() => {
    const threads = readdirSync(`/proc/${pid}/task`)
    const lists = threads.map(tid => readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8'))
    return lists.join(' ').split(/\s+/).filter(Boolean).map(Number)
  }, [])
}

// From field 3 of proc(5) on: the name in brackets before may contain anything.
function statOf(pid: number): string[] | undefined {
  return whileAlive(() => {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  }, undefined)
}

function residentMb(pid: number): number {
  const status = whileAlive(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '')
  return Number(status.match(/^VmRSS:\s+(\d+)/m)?.[1] ?? 0) / KB_PER_MB
}

function whileAlive<T>(read: () => T, gone: T): T {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return gone
    throw error
  }
}
