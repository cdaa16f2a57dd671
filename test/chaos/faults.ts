// Does what the schedule says to a running cluster: finds the victims that live at that moment by asking the system (their
// marks in /proc), not the cluster, which may have no leader just then; and undoes each stop and each cut in time.
import { readFileSync } from 'node:fs'
import { type HandCluster, kill, type Member } from '../e2e/cluster/hand-cluster.ts'
import { processesOf } from '../e2e/cluster/processes.ts'
import type { Network } from './network.ts'
import type { Fault, Role } from './schedule.ts'

export interface Done {
  readonly fault: Fault
  /** Undefined: nobody of that role lived at that moment. */
  readonly victim: string | undefined
}

export class Faults {
  readonly #cluster: HandCluster
  readonly #network: Network | undefined
  /** What is still to be undone. */
  readonly #open = new Map<NodeJS.Timeout, () => void>()

  constructor(cluster: HandCluster, network: Network | undefined) {
    this.#cluster = cluster
    this.#network = network
  }

  inject(fault: Fault): Done {
    const victims = this.#victims(fault.role)
    const victim = victims[fault.pick % Math.max(1, victims.length)]
    if (victim === undefined) return { fault, victim: undefined }
    if (fault.kind === 'cut') this.#cut(victim.name, fault.forMs)
    else if (fault.kind === 'kill') kill(victim.pid, 'SIGKILL')
    else {
      kill(victim.pid, 'SIGSTOP')
      this.#undoAfter(fault.forMs, () => kill(victim.pid, 'SIGCONT'))
    }
    return { fault, victim: `${victim.name} (pid ${victim.pid})` }
  }

  #cut(name: string, forMs: number): void {
    const { masters, workers } = this.#cluster
    const index = [...masters, ...workers].findIndex(member => member.name === name)
    const network = this.#network!
    const host = network.hosts[index]!
    network.cut(host)
    this.#undoAfter(forMs, () => network.heal(host))
  }

  #undoAfter(forMs: number, undo: () => void): void {
    const timer = setTimeout(() => {
      this.#open.delete(timer)
      undo()
    }, forMs)
    this.#open.set(timer, undo)
  }

  /** Undoes at once what is still to be undone. */
  heal(): void {
    for (const [timer, undo] of this.#open) {
      clearTimeout(timer)
      undo()
    }
    this.#open.clear()
  }

  #victims(role: Role): { name: string; pid: number }[] {
    if (role === 'master') return living(this.#cluster.masters)
    if (role === 'worker') return living(this.#cluster.workers)
    return processesOf(this.#cluster.directory)
      .map(({ pid, command }) => ({ pid, name: nameOf(pid, command, role) }))
      .filter((victim): victim is { pid: number; name: string } => victim.name !== undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

function living(members: readonly Member[]): { name: string; pid: number }[] {
  return members
    .filter(({ process: { child } }) => child.exitCode === null && child.signalCode === null)
    .map(({ name, process: { pid } }) => ({ name, pid }))
}

/** The name of a process if it plays this role. What a worker starts carries its private directory as a mark. */
function nameOf(pid: number, command: string, role: Role): string | undefined {
  const program = command.split(' ')[0]!
  if (role === 'etcd')
    return /\/etcd$/.test(program) ? `etcd ${/m\d/.exec(command)?.[0]}` : undefined
  const run = runOf(pid)
  if (run === undefined) return undefined
  if (!/process-main/.test(command)) return role === 'child' ? `${run} ${program}` : undefined
  const isAppMaster = /-app-master-/.test(run)
  return (role === 'app-master') === isAppMaster && role !== 'child' ? run : undefined
}

function runOf(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
    return /GEARPUMP_RUN_DIR=[^\0]*\/([^\0/]+)/.exec(environment)?.[1]
  } catch {
    // It has ended since.
    return undefined
  }
}
