// A real etcd of one or more members on loopback, started and ended by the test that needs it. What it keeps goes with
// it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const READY_MS = 30_000

export interface EtcdNode {
  readonly endpoint: string
  signal(signal: NodeJS.Signals): void
  /** After `signal('SIGKILL')`: the same member again, on what it has on disk. */
  restart(): Promise<void>
}

export interface Etcd {
  readonly nodes: readonly EtcdNode[]
  readonly endpoints: readonly string[]
  stop(): Promise<void>
}

// Ports that were given away and may not be listened on yet.
const given = new Set<number>()

/** Ports nobody listens on at the moment, each given once. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>(resolve => {
        server.listen(0, '127.0.0.1', () => resolve(server))
      })
    }),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  if (ports.some(port => given.has(port))) return freePorts(count)
  for (const port of ports) given.add(port)
  return ports
}

/** Where a member runs, if not simply here: its address, and the command that its own goes behind. */
export interface Place {
  readonly host: string
  readonly command: readonly string[]
}

const HERE: Place = { host: '127.0.0.1', command: [] }

export async function startEtcd(
  program: string,
  members = 1,
  options: { args?: readonly string[]; scheme?: string; places?: readonly Place[] } = {},
): Promise<Etcd> {
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-etcd-'))
  const ports = await freePorts(2 * members)
  const place = (i: number) => options.places?.[i] ?? HERE
  const peer = (i: number) => `http://${place(i).host}:${ports[members + i]}`
  const cluster = Array.from({ length: members }, (_, i) => `n${i}=${peer(i)}`).join(',')
  const nodes = Array.from({ length: members }, (_, i) => {
    const client = `${options.scheme ?? 'http'}://${place(i).host}:${ports[i]}`
    return new Node(client, [
      ...place(i).command,
      program,
      ...['--name', `n${i}`, '--data-dir', join(directory, `n${i}`)],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer(i), '--initial-advertise-peer-urls', peer(i)],
      ...['--initial-cluster', cluster, '--pre-vote', '--logger', 'zap', '--log-level', 'error'],
      ...(options.args ?? []),
    ])
  })
  const stop = async () => {
    await Promise.all(nodes.map(node => node.end()))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    for (const node of nodes) node.start()
    if (options.scheme === undefined) await Promise.all(nodes.map(node => node.ready()))
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, endpoints: nodes.map(node => node.endpoint), stop }
}

class Node implements EtcdNode {
  readonly endpoint: string
  readonly #command: readonly string[]
  #child: ChildProcess | undefined
  #said = ''

  constructor(endpoint: string, command: readonly string[]) {
    this.endpoint = endpoint
    this.#command = command
  }

  start(): void {
    const [program, ...args] = this.#command
    this.#child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child.stderr!.on('data', data => {
      this.#said = (this.#said + data).slice(-2000)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  async restart(): Promise<void> {
    await this.end()
    this.start()
    await this.ready()
  }

  async end(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async ready(): Promise<void> {
    const endMs = performance.now() + READY_MS
    for (;;) {
      const healthy = await fetch(`${this.endpoint}/health`, { signal: AbortSignal.timeout(1000) })
        .then(answer => answer.ok)
        .catch(() => false)
      if (healthy) return
      if (performance.now() > endMs || this.#child!.exitCode !== null) {
        throw new Error(`etcd at ${this.endpoint} did not come up: ${this.#said}`)
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
