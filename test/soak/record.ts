// The recorded results: a table in docs/soak.md between two markers. Rows of cases that were run are replaced, others stay.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

export interface RecordedRow {
  readonly name: string
  readonly ok: boolean
  readonly measured: string
}

const PAGE = new URL('../../docs/soak.md', import.meta.url)
const BEGIN = '<!-- results -->'
const END = '<!-- end of results -->'
const HEAD = '| case | result | measured | when and where |\n|---|---|---|---|'

export function record(rows: readonly RecordedRow[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/soak.md has no "${BEGIN}" before "${END}"`)
  const lines = new Map<string, string>()
  for (const line of page.slice(begin, end).split('\n')) {
    const name = /^\| ([a-z0-9-]+) \|/.exec(line)?.[1]
    if (name !== undefined && name !== 'case') lines.set(name, line)
  }
  const where = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Node ${process.version}, ${release()}`
  for (const { name, ok, measured } of rows)
    lines.set(name, `| ${name} | ${ok ? 'ok' : 'FAILED'} | ${measured} | ${where} |`)
  const table = [BEGIN, '', HEAD, ...lines.values(), '', ''].join('\n')
  writeFileSync(PAGE, page.slice(0, begin) + table + page.slice(end))
}
