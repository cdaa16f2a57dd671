// Who may ask the UI what, and HTTP DRPC. They have no passwords, as Storm's have none by default, so they rely on where requests
// come from: a page that somebody has open in a browser must neither change a topology nor read one, nor call a function. Pure.
import { isIP } from 'node:net'

/** As much of a request as decides. */
export interface Approach {
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Whether the answer would be a script, which any page may load. */
  readonly asScript: boolean
}

export interface GuardOptions {
  /** Names by which this host may be asked, beside addresses and `localhost`. */
  readonly hosts: readonly string[]
  /** Origins of pages that may read and act, as `https://dashboard.example`. */
  readonly origins: readonly string[]
}

/** Why a request is refused, in words; undefined when it may go on. */
export function refusalOf(approach: Approach, options: GuardOptions): string | undefined {
  const host = one(approach.headers.host)
  if (host === undefined || !isOwnName(host, options.hosts)) {
    return (
      'the address has a name that is not known here, as a page does that had its own name rebound: ' +
      'ask by address or localhost, or tell the server that it is called so'
    )
  }
  const origin = pageOf(approach)
  const known = origin === undefined || isSame(origin, host) || options.origins.includes(origin)
  if (known) return crossSite(approach) && origin === undefined ? FOREIGN : undefined
  return approach.method === 'GET' && !approach.asScript ? undefined : FOREIGN
}

const FOREIGN = 'a page of another site asked for it: only pages of this address, and programs, may'

// Programs send none of these headers, browsers send at least one with everything that matters here.
function pageOf({ headers }: Approach): string | undefined {
  const origin = one(headers.origin)
  if (origin !== undefined) return origin
  const referer = one(headers.referer)
  if (referer === undefined) return undefined
  return URL.canParse(referer) ? new URL(referer).origin : 'null'
}

function crossSite({ method, headers, asScript }: Approach): boolean {
  const site = one(headers['sec-fetch-site'])
  const matters = method !== 'GET' || asScript
  return matters && (site === 'cross-site' || site === 'same-site')
}

function isSame(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase().replace(/:80$/, '')
}

/** An address cannot be rebound; a name can. */
export function isOwnName(host: string, names: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return true
  return names.some(each => each.toLowerCase() === name)
}

function one(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}
