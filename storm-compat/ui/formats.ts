// How Storm's UI writes numbers, times, windows and links. Pure.

/** `1d 0h 5m 3s`; empty for nothing, as in Storm. */
export function prettyUptime(secs: number): string {
  let left = secs
  const parts: string[] = []
  for (const [unit, size] of [
    ['s', 60],
    ['m', 60],
    ['h', 24],
    ['d', Number.MAX_SAFE_INTEGER],
  ] as const) {
    if (left <= 0) break
    parts.unshift(`${left % size}${unit}`)
    left = Math.floor(left / size)
  }
  return parts.join(' ')
}

/** Three decimals, as a string. */
export function latencyText(ms: number | undefined): string {
  return ms === undefined ? '0' : ms.toFixed(3)
}

export function windowHint(window: string): string {
  return window === ':all-time' ? 'All time' : prettyUptime(Number(window))
}

/** As Java's URLEncoder does. */
export function urlEncoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

export function executorName(first: number, last: number): string {
  return `[${first}-${last}]`
}

/** An integer of the wire; counts stay far below 2^53. */
export function whole(count: bigint | number | undefined): number {
  return Number(count ?? 0)
}

/** Storm shows no more of an error in lists. */
const ERROR_SHOWN_MAX = 200

export function shortError(error: string): string {
  return error.slice(0, ERROR_SHOWN_MAX)
}

/** Settings of the daemons, which links and switches follow. */
export type UiConf = Readonly<Record<string, unknown>>

export function logviewer(conf: UiConf): { scheme: 'http' | 'https'; port: number } {
  const secure = conf['logviewer.https.port']
  if (typeof secure === 'number' && secure >= 0) return { scheme: 'https', port: secure }
  return { scheme: 'http', port: Number(conf['logviewer.port'] ?? 8000) }
}

export function daemonLogLink(conf: UiConf, host: string, file: string): string {
  const { scheme, port } = logviewer(conf)
  return `${scheme}://${urlEncoded(host)}:${port}/api/v1/daemonlog?file=${file}`
}

export function workerLogLink(
  conf: UiConf,
  host: string,
  port: number,
  topologyId: string,
): string {
  const viewer = logviewer(conf)
  const file = urlEncoded(`${topologyId}/${port}/worker.log`)
  return `${viewer.scheme}://${urlEncoded(host)}:${viewer.port}/api/v1/log?file=${file}`
}

/** Resources beside memory and CPU, as `gpu=2.0 net=1.0`. */
export function genericResources(
  resources: ReadonlyMap<string, number> | undefined,
): string | null {
  if (resources === undefined) return null
  return [...resources]
    .filter(([name]) => !ORDINARY_RESOURCES.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${Number.isInteger(amount) ? `${amount}.0` : amount}`)
    .join(' ')
}

/** Storm's names of them. */
export const MEMORY = 'memory.mb'
export const ON_HEAP = 'onheap.memory.mb'
export const OFF_HEAP = 'offheap.memory.mb'
export const CPU = 'cpu.pcore.percent'
const ORDINARY_RESOURCES = new Set([
  MEMORY,
  ON_HEAP,
  OFF_HEAP,
  CPU,
  'supervisor.memory.capacity.mb',
  'supervisor.cpu.capacity',
])
