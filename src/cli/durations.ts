// Times on the command line: a number and its unit, `500ms`, `3s`, `1.5m`, `2h`. A number alone is refused, for people
// mean seconds by it as often as milliseconds.

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Node's timers fire at once when asked for more: 24.8 days. */
const DURATION_MAX_MS = 0x7fff_ffff

/** Milliseconds of such a text, or a sentence that says what is wrong with it. */
export function parseDuration(text: string): number | string {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim())
  if (match === null) return `"${text}" is no time: write 500ms, 3s, 1.5m or 2h`
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2]!]!)
  return ms > DURATION_MAX_MS ? `"${text}" is too long: at most 24 days` : ms
}

/** A time for people: `850 ms`, `12.3 s`, `3 m 20 s`. */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} m ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} m`
}
