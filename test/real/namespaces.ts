// Hosts that a test can cut off from each other: network namespaces on a bridge, reachable from here as well. Linux
// and root.
import { execFileSync } from 'node:child_process'
import type { Place } from './etcd.ts'

export interface Hosts {
  readonly places: readonly Place[]
  cut(host: number): void
  heal(host: number): void
  remove(): void
}

// Of the range set aside for testing network devices (RFC 2544).
const SUBNET = '198.18.77'

let makes = 0

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })

/** Why there are none here, or undefined. */
export function namespacesMissing(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    makeHosts(1).remove()
    return undefined
  } catch (error) {
    return `no network namespaces here: ${(error as Error).message.split('\n')[0]}`
  }
}

export function makeHosts(count: number): Hosts {
  // The kernel takes its time to remove a device: no name is used twice.
  const name = `gp${process.pid}${String.fromCharCode(97 + (makes++ % 26))}`
  const hub = `${name}-hub`
  const spaces = Array.from({ length: count }, (_, i) => `${name}-${i}`)
  const made: string[] = []
  const remove = () => {
    for (const space of made.splice(0)) ip('netns', 'del', space)
  }
  const wire = (i: number, ...on: string[]) => ip('-n', hub, 'link', 'set', `v${i}`, ...on)
  try {
    for (const space of [hub, ...spaces]) {
      ip('netns', 'add', space)
      made.push(space)
    }
    ip('-n', hub, 'link', 'add', 'br0', 'type', 'bridge')
    ip('-n', hub, 'link', 'set', 'br0', 'up')
    // This end goes with the other one, when the hub is deleted.
    ip('link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', 'vh', 'netns', hub)
    ip('addr', 'add', `${SUBNET}.254/24`, 'dev', `${name}h`)
    ip('link', 'set', `${name}h`, 'up')
    ip('-n', hub, 'link', 'set', 'vh', 'master', 'br0', 'up')
    for (const [i, space] of spaces.entries()) {
      const peer = ['type', 'veth', 'peer', 'name', `v${i}`, 'netns', hub]
      ip('-n', space, 'link', 'add', 'eth0', ...peer)
      ip('-n', space, 'addr', 'add', `${SUBNET}.${i + 1}/24`, 'dev', 'eth0')
      ip('-n', space, 'link', 'set', 'eth0', 'up')
      ip('-n', space, 'link', 'set', 'lo', 'up')
      wire(i, 'master', 'br0', 'up')
    }
  } catch (error) {
    remove()
    throw error
  }
  return {
    places: spaces.map((space, i) => ({
      host: `${SUBNET}.${i + 1}`,
      command: ['ip', 'netns', 'exec', space],
    })),
    cut: i => wire(i, 'nomaster'),
    heal: i => wire(i, 'master', 'br0'),
    remove,
  }
}
