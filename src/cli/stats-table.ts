// The figures of a run as a table for people. Pure: lines of text that fit the terminal.
import type { ComponentFigures, RunFigures } from '../app/figures.ts'
import { count } from './ending.ts'

export interface TableOptions {
  readonly figures: RunFigures
  /** The figures some time ago: rates and loads are taken over the time between. Undefined = since the start. */
  readonly before: RunFigures | undefined
  /** The time between the two. */
  readonly periodMs: number
  /** A longer line would wrap, and a table that wraps cannot be drawn over. */
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

const HEAD = ['component', 'tasks', 'emitted', 'acked', 'failed', 'in flight', 'rate/s']
const LOAD_HEAD = 'busy/blocked/idle %'

/** A longer name is cut: the figures matter more. */
const NAME_MAX = 28

export function statsTable(options: TableOptions): string[] {
  const { figures, columns, rows, colour } = options
  const ids = Object.keys(figures.components)
  // Head, sum, and one line for those that are left out.
  const shown = ids.slice(0, Math.max(1, rows - 3))
  const cells = [[...HEAD, LOAD_HEAD], ...shown.map(id => rowOf(id, options))]
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map(row => row[i]!.length)))
  const lines = cells.map(row => row.map((cell, i) => pad(cell, widths[i]!, i)).join('  '))
  if (shown.length < ids.length) lines.push(`… and ${ids.length - shown.length} more`)
  lines.push(rootsLine(figures))
  return lines.map((line, i) => paint(line.slice(0, Math.max(1, columns - 1)), i, lines, colour))
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

function rowOf(id: string, { figures, before, periodMs }: TableOptions): string[] {
  const of = figures.components[id]!
  const past = before?.components[id]
  return [
    id.length > NAME_MAX ? `${id.slice(0, NAME_MAX - 1)}…` : id,
    count(of.tasks),
    count(of.emitted),
    count(of.acked),
    count(of.failed),
    count(of.inFlight),
    count(Math.round((handled(of) - (past === undefined ? 0 : handled(past))) / seconds(periodMs))),
    load(of, past, periodMs),
  ]
}

// What a processor works on is what it gets; what a source works on is what it gives.
function handled(of: ComponentFigures): number {
  return of.received > 0 ? of.received : of.emitted
}

function seconds(ms: number): number {
  return Math.max(ms, 1) / 1000
}

function load(of: ComponentFigures, past: ComponentFigures | undefined, periodMs: number): string {
  const wholeMs = Math.max(1, periodMs * Math.max(1, of.tasks))
  const busy = share(of.busyMs - (past?.busyMs ?? 0), wholeMs)
  const blocked = Math.min(100 - busy, share(of.blockedMs - (past?.blockedMs ?? 0), wholeMs))
  return `${busy}/${blocked}/${100 - busy - blocked}`
}

function share(partMs: number, wholeMs: number): number {
  return Math.round(Math.min(1, Math.max(0, partMs / wholeMs)) * 100)
}

function rootsLine({ emitted, acked, failed, pending, lost }: RunFigures): string {
  if (emitted === 0) return 'no message with an id'
  return (
    `with an id: ${count(emitted)} emitted = ${count(acked)} acked + ${count(failed)} failed` +
    ` + ${count(pending)} pending + ${count(lost)} lost`
  )
}

const DIM = '\u001b[2m'
const BOLD = '\u001b[1m'
const PLAIN = '\u001b[0m'

function paint(line: string, index: number, lines: readonly string[], colour: boolean): string {
  if (!colour) return line
  if (index === 0) return `${DIM}${line}${PLAIN}`
  return index === lines.length - 1 ? `${BOLD}${line}${PLAIN}` : line
}
