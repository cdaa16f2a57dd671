// A cluster put together by hand, as on several machines: masters with an etcd each and workers, every one a process of its
// own with a data directory of its own, on a loopback address (or a network namespace) of its own. What dies is started
// again, as a service manager would; what is left at the end is found by the directory and ended by its pid.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterGear, type ClusterOptions, connect } from 'gearpump'
import { until } from '../until.ts'
import { GearProcess, processesOf } from './processes.ts'

const PORT = 3000
/** A service manager waits a little, too. */
const RESTART_MS = 500
const END_MAX_MS = 20_000
const READY_MAX_MS = 60_000

/** Where a process lives. */
export interface Host {
  readonly address: string
  /** Begins the command line; empty on this machine's own loopback. */
  readonly through: readonly string[]
}

export interface HandClusterOptions {
  /** The program etcd; undefined = one master with a journal. */
  readonly etcd: string | undefined
  readonly masters: readonly Host[]
  readonly workers: readonly Host[]
  /** More settings, by their full names. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** False: what dies stays dead. */
  readonly restart?: boolean
}

/** Loopback addresses that nobody else is likely to use: one network of 254 for each cluster. */
export function loopbackHosts(count: number): Host[] {
  const network = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 256)}`
  return Array.from({ length: count }, (_, i) => ({ address: `${network}.${i + 1}`, through: [] }))
}

export interface Member {
  readonly role: 'master' | 'worker'
  readonly name: string
  readonly address: string
  /** The one that runs now, or did last. */
  process: GearProcess
  wanted: boolean
  starts: number
  /** How it ended each time that nobody had told it to. */
  readonly ends: string[]
}

export class HandCluster {
  readonly directory: string
  readonly addresses: readonly string[]
  readonly masters: Member[] = []
  readonly workers: Member[] = []
  readonly #options: HandClusterOptions
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  private constructor(options: HandClusterOptions) {
    this.#options = options
    this.directory = mkdtempSync(join(tmpdir(), 'gearpump-hand-'))
    this.addresses = options.masters.map(host => `${host.address}:${PORT}`)
  }

  /** Resolves when a master leads and every worker has registered. */
  static async start(options: HandClusterOptions): Promise<HandCluster> {
    const cluster = new HandCluster(options)
    try {
      cluster.#writeSettings()
      for (const [i, host] of options.masters.entries())
        cluster.masters.push(cluster.#member('master', `m${i + 1}`, host))
      for (const [i, host] of options.workers.entries())
        cluster.workers.push(cluster.#member('worker', `w${i + 1}`, host))
      await cluster.#ready()
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get settingsFile(): string {
    return join(this.directory, 'gear.yaml')
  }

  #writeSettings(): void {
    const lines = [`cluster.masters: [${this.addresses.join(', ')}]`]
    if (this.#options.etcd !== undefined) lines.push(`cluster.etcd: ${this.#options.etcd}`)
    for (const [name, value] of Object.entries(this.#options.settings ?? {}))
      lines.push(`${name}: ${value}`)
    const text = lines.map(line => `${line}\n`).join('')
    writeFileSync(this.settingsFile, text)
  }

  #member(role: Member['role'], name: string, host: Host): Member {
    mkdirSync(join(this.directory, name))
    const member: Member = {
      ...{ role, name, address: host.address, process: undefined as never },
      ...{ wanted: true, starts: 0, ends: [] },
    }
    this.#start(member, host)
    return member
  }

  #start(member: Member, host: Host): void {
    const { role, name } = member
    const own = role === 'master' ? ['--ip', host.address, '--port', `${PORT}`] : ['--name', name]
    const args = [
      ...[role, ...own, '--config', this.settingsFile, '--host.dataDir', this.directoryOf(name)],
      ...['--host.bind', host.address, '--host.name', host.address],
    ]
    member.process = new GearProcess(args, {}, host.through)
    member.starts++
    void member.process.exited.then(how => {
      if (!member.wanted || this.#closed) return
      if (how !== 'SIGKILL') member.ends.push(`${how}: ${member.process.output.slice(-500)}`)
      if (this.#options.restart === false) return
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        if (member.wanted && !this.#closed) this.#start(member, host)
      }, RESTART_MS)
      this.#timers.add(timer)
    })
  }

  directoryOf(name: string): string {
    return join(this.directory, name)
  }

  async #ready(): Promise<void> {
    const failed = [...this.masters, ...this.workers].map(({ name, process }) =>
      process.exited.then(how => {
        throw new Error(`${name} ended (${how}): ${process.output}`)
      }),
    )
    for (const one of failed) one.catch(() => undefined)
    const said = [
      ...this.workers.map(({ process }) => process.says(/registered with/)),
      ...(this.workers.length === 0 ? [somebodyLeads(this.masters)] : []),
    ]
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const outputs = this.masters.map(({ name, process }) => `${name}: ${process.output}`)
        reject(new Error(`not up after ${READY_MAX_MS} ms:\n${outputs.join('\n')}`))
      }, READY_MAX_MS)
    })
    await Promise.race([Promise.all(said), late, ...failed]).finally(() => clearTimeout(timer))
  }

  /** Every process is up that should be: what is told to end while it starts leaves its etcd to its next start. */
  async settled(): Promise<void> {
    for (const member of [...this.masters, ...this.workers]) {
      await until(`${member.name} is up`, () => {
        const { exitCode, signalCode } = member.process.child
        const alive = exitCode === null && signalCode === null
        return alive && / is up/.test(member.process.output)
      })
    }
  }

  connect(more: Pick<ClusterOptions, 'token' | 'tls'> = {}): Promise<ClusterGear> {
    return connect({ masters: this.addresses, ...more })
  }

  /** The master that leads, as the others see it. */
  async leader(gear: ClusterGear): Promise<Member> {
    const { name } = await gear.master()
    return this.masters.find(member => name === `${member.address}:${PORT}`)!
  }

  /** Ends all in order, the workers first. Returns what outlived it, and ends that too. */
  async close(): Promise<{ pid: number; command: string }[]> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.workers.map(endInOrder))
    await Promise.all(this.masters.map(endInOrder))
    const left = processesOf(this.directory)
    for (const { pid } of left) kill(pid, 'SIGKILL')
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
    return left
  }
}

function somebodyLeads(masters: readonly Member[]): Promise<unknown> {
  return Promise.race(masters.map(({ process }) => process.says(/ leads, with/)))
}

async function endInOrder(member: Member): Promise<void> {
  member.wanted = false
  kill(member.process.pid, 'SIGCONT')
  member.process.child.kill('SIGTERM')
  const late = setTimeout(() => member.process.child.kill('SIGKILL'), END_MAX_MS)
  await member.process.exited
  clearTimeout(late)
}

/** Sends a signal; false when there is no such process any more. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}
