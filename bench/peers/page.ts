// The tables of docs/benchmarks.md, between two markers: demands and whether they hold, figures per case with their spread,
// on which machine, when, and by which command.
import type { Row } from '../harness/measure.ts'
import { type Demand, isNoisy, judge, median, type Round, significant } from './demands.ts'

const BEGIN = '<!-- results begin -->'
const END = '<!-- results end -->'

export interface PageInput {
  readonly demands: readonly Demand[]
  readonly rounds: readonly Round[]
  /** What progress keeping costs: rows of the case `progress`. */
  readonly progress: readonly Row[]
  readonly machine: string
  readonly date: string
  readonly command: string
}

/** The page with its results replaced. Throws when it has no markers. */
export function rewritten(page: string, input: PageInput): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`the page lacks the markers ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results(input)}\n${page.slice(end)}`
}

function results(input: PageInput): string {
  return [
    `Measured ${input.date} on ${input.machine}: \`${input.command}\`, ${input.rounds.length} rounds.`,
    ...demandTable(input),
    ...caseTable(input.rounds),
    ...progressTable(input.progress),
  ].join('\n')
}

function demandTable({ demands, rounds }: PageInput): string[] {
  const lines = demands.map(demand => {
    const verdict = judge(demand, rounds)
    if (verdict === undefined) return `| ${demand.text} | | – | not measured |`
    const { median: middle, min, max, asked, holds, aim_reached, noisy_rounds } = verdict
    const said = aim_reached === true ? 'yes, and the aim' : holds ? 'yes' : '**no**'
    const noise = noisy_rounds === 0 ? '' : ` (${noisy_rounds} of ${verdict.rounds} rounds noisy)`
    return `| ${demand.text} | ${asked} | ${middle} (${min} … ${max}) | ${said}${noise} |`
  })
  return [
    '',
    '| what is compared | asked | median (min … max) | holds |',
    '|---|---|---|---|',
    ...lines,
  ]
}

function caseTable(rounds: readonly Round[]): string[] {
  const names = [...new Set(rounds.flatMap(round => [...round.keys()]))]
  const lines = names.map(name => {
    const rows = rounds.flatMap(round => round.get(name) ?? [])
    const spread = (field: string) => spreadOf(rows, field)
    const foreign = rows.some(isNoisy)
      ? `**${spread('foreign_cpu_cores')}**`
      : spread('foreign_cpu_cores')
    const cores = rows.some(row => 'cpu_cores' in row)
      ? spread('cpu_cores')
      : spread('own_cpu_cores')
    const latency = [spread('lat_p50_ms'), spread('lat_p99_ms'), spread('lat_p999_ms')]
    const rate = rows.some(row => 'first_tuple_s' in row)
      ? `${spread('first_tuple_s')} s`
      : spread('msgs_per_sec')
    return `| ${label(name)} | ${rate} | ${cores} | ${spread('rss_mb')} | ${latency.join(' / ')} | ${foreign} |`
  })
  return [
    '',
    'Per case, median (min … max) over the rounds; `Storm` is the peer, whose Python cases count words.',
    '',
    '| case | messages per second | cores | RSS MB | p50 / p99 / p99.9 ms | foreign cores |',
    '|---|---|---|---|---|---|',
    ...lines,
  ]
}

function label(name: string): string {
  return name.startsWith('peer:') ? `Storm \`${name.slice('peer:'.length)}\`` : `\`${name}\``
}

function spreadOf(rows: readonly Row[], field: string): string {
  const figures = rows.map(row => row[field]).filter(value => typeof value === 'number')
  if (figures.length === 0) return '–'
  figures.sort((a, b) => a - b)
  const show = (figure: number) => significant(figure).toLocaleString('en-US')
  if (figures.length === 1) return show(figures[0]!)
  return `${show(median(figures))} (${show(figures[0]!)} … ${show(figures.at(-1)!)})`
}

function progressTable(rows: readonly Row[]): string[] {
  const lines = rows.map(row => {
    const unit = Object.keys(row).find(key => key.startsWith('nsPer'))
    if (unit === undefined) return ''
    const other = Object.keys(row).find(key => key.startsWith('nsPer') && key !== unit)
    const more =
      other === undefined ? '' : `, ${row[other]} per ${other.slice('nsPer'.length).toLowerCase()}`
    return `| ${row.row} | ${row[unit]} per ${unit.slice('nsPer'.length).toLowerCase()}${more} |`
  })
  if (lines.length === 0) return []
  return [
    '',
    'Progress keeping by itself:',
    '',
    '| what | ns of CPU |',
    '|---|---|',
    ...lines.filter(Boolean),
  ]
}
