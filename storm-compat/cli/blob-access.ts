// Who may do what with a blob, in Storm's spelling: `u:alice:rwa,u:bob:rw,o::r`.
import type { AccessControl } from '../thrift/storm-requests.ts'
import { StormUsageError } from './usage-error.ts'

const READ = 1
const WRITE = 2
const ADMIN = 4

/** `alice:rw` is a user and `r` is everybody else, as in Storm. */
export function parseAccess(text: string): AccessControl[] {
  return text.split(',').map(part => {
    const pieces = part.split(':')
    if (pieces.length > 3) throw wrong(part)
    const access = bitsOf(pieces.at(-1)!, part)
    const name = pieces.at(-2) ?? ''
    const type = pieces.length === 3 ? typeOf(pieces[0]!, part) : named(pieces.length === 2)
    return { type, name, access }
  })
}

export function accessText({ type, name, access }: AccessControl): string {
  const letter = type === 'USER' ? 'u' : 'o'
  const bits = `${access & READ ? 'r' : '-'}${access & WRITE ? 'w' : '-'}${access & ADMIN ? 'a' : '-'}`
  return `${letter}:${name ?? ''}:${bits}`
}

/** As Java writes a list. */
export function accessList(all: readonly AccessControl[]): string {
  return `[${all.map(accessText).join(', ')}]`
}

function named(user: boolean): AccessControl['type'] {
  return user ? 'USER' : 'OTHER'
}

function typeOf(text: string, part: string): AccessControl['type'] {
  if (/^(?:u|user)$/i.test(text)) return 'USER'
  if (/^(?:o|other)$/i.test(text)) return 'OTHER'
  throw wrong(part)
}

function bitsOf(text: string, part: string): number {
  if (!/^[rwa-]*$/.test(text)) throw wrong(part)
  const bit = (letter: string, value: number) => (text.includes(letter) ? value : 0)
  return bit('r', READ) | bit('w', WRITE) | bit('a', ADMIN)
}

function wrong(part: string): StormUsageError {
  return new StormUsageError(
    `"${part}" is no access rule: write u:NAME:rwa, o::r, with r, w, a or - for each right`,
  )
}
