// The figures of a run as one JSON object, for programs: the last line of stdout where that is no terminal.
import type { RunFigures } from '../app/figures.ts'

/** emitted = acked + failed + pending + lost: messages with an id. All others are counted in `components` only. */
export function statsLine(figures: RunFigures, elapsedMs: number): string {
  const { emitted, acked, failed, pending, lost } = figures
  // A tally is numbers without names, for the layer whose component it is of.
  const components = Object.entries(figures.components).map(([id, { tally: _, ...of }]) => [
    id,
    { ...of, busyMs: Math.round(of.busyMs), blockedMs: Math.round(of.blockedMs) },
  ])
  return JSON.stringify({
    emitted,
    acked,
    failed,
    pending,
    lost,
    seconds: Math.round(elapsedMs) / 1000,
    components: Object.fromEntries(components),
  })
}
