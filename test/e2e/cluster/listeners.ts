// Where processes listen, read from the system and not from what they say: no port of a cluster is forgotten by a test.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Listener {
  readonly pid: number
  readonly host: string
  readonly port: number
}

const LISTEN = '0A'

/** TCP ports over IPv4 on which these processes listen. */
export function listenersOf(pids: readonly number[]): Listener[] {
  const byInode = new Map<string, { host: string; port: number }>()
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (state !== LISTEN || local === undefined || inode === undefined) continue
    const [address = '', port = ''] = local.split(':')
    const host = address
      .match(/../g)!
      .reverse()
      .map(byte => Number.parseInt(byte, 16))
    byInode.set(inode, { host: host.join('.'), port: Number.parseInt(port, 16) })
  }
  return pids.flatMap(pid =>
    readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      const listener = byInode.get(/^socket:\[(\d+)\]$/.exec(targetOf(pid, fd))?.[1] ?? '')
      return listener === undefined ? [] : [{ pid, ...listener }]
    }),
  )
}

function targetOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    // Closed since.
    return ''
  }
}
