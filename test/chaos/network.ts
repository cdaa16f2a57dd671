// Hosts of a network of their own on this machine: a namespace each, joined by a bridge, so that one can be cut off from
// all others. Needs root and the `ip` command of Linux. All names begin with one tag, and are removed by it.
import { execFileSync } from 'node:child_process'
import type { Host } from '../e2e/cluster/hand-cluster.ts'

/** Interface names have at most 15 characters. */
const TAG_MAX = 0xfff

export interface NetworkHost extends Host {
  readonly namespace: string
  /** The host's end of its cable on the bridge. */
  readonly port: string
}

/** Why there can be no network; undefined when there can. */
export function networkMissing(): string | undefined {
  const reason = reasonMissing()
  if (reason !== undefined && process.env.GEARPUMP_REQUIRE_REAL === '1') throw new Error(reason)
  return reason
}

function reasonMissing(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' })
    return undefined
  } catch (error) {
    return `\`ip netns\` does not work here: ${(error as Error).message}`
  }
}

export class Network {
  readonly hosts: readonly NetworkHost[]
  readonly #bridge: string
  #closed = false

  /** This process reaches the hosts by the bridge. */
  constructor(count: number) {
    const number = Math.floor(Math.random() * TAG_MAX)
    const tag = `gp${number.toString(16)}`
    // The range for benchmarks of networks (RFC 2544): nobody routes it.
    const subnet = `198.${18 + (number & 1)}.${(number >> 1) & 0xff}`
    this.#bridge = `${tag}b`
    this.hosts = Array.from({ length: count }, (_, i) => ({
      address: `${subnet}.${i + 2}`,
      namespace: `${tag}n${i}`,
      port: `${tag}p${i}`,
      through: ['ip', 'netns', 'exec', `${tag}n${i}`],
    }))
    try {
      ip('link', 'add', this.#bridge, 'type', 'bridge')
      ip('addr', 'add', `${subnet}.1/24`, 'dev', this.#bridge)
      ip('link', 'set', this.#bridge, 'up')
      for (const host of this.hosts) this.#add(host)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #add({ namespace, port, address }: NetworkHost): void {
    ip('netns', 'add', namespace)
    ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
    ip('link', 'set', port, 'master', this.#bridge, 'up')
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', namespace, 'link', 'set', 'eth0', 'up')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
  }

  cut(host: NetworkHost): void {
    ip('link', 'set', host.port, 'down')
  }

  heal(host: NetworkHost): void {
    ip('link', 'set', host.port, 'up')
  }

  /** Idempotent; what is gone already is no error. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { namespace, port } of this.hosts) {
      quietly('link', 'del', port)
      quietly('netns', 'del', namespace)
    }
    quietly('link', 'del', this.#bridge)
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function quietly(...args: readonly string[]): void {
  try {
    ip(...args)
  } catch {
    // It was not made, or has gone with what it hung on.
  }
}
