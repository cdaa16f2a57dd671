// `host:port`, as masters are named in settings and on command lines.
import { EngineError } from '../base/errors.ts'
import type { Address } from '../transport/link.ts'

export type TcpAddress = Extract<Address, { kind: 'tcp' }>

/** The address that `host:port` or `[::1]:port` names. */
export function masterAddress(text: string): TcpAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65535) {
    throw new EngineError('BAD_INPUT', `"${text}" is no address of a master`, {
      hint: 'write host:port, and several with commas between them',
    })
  }
  return { kind: 'tcp', host: (match[1] ?? match[2])!, port }
}

export function masterText({ host, port }: Pick<TcpAddress, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
