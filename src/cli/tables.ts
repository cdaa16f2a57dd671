// Plain tables for people: columns as wide as their longest cell, numbers to the right.

export type Cell = string | number | undefined

/** One line per row, headings first. An absent value is shown as `-`. */
export function tableText(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map(row => row.map(cell => harmless(String(cell ?? '-'))))
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...cells.map(row => row[i]?.length ?? 0)),
  )
  const numeric = headings.map((_, i) => rows.every(row => typeof (row[i] ?? 0) === 'number'))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return `${[line(headings), ...cells.map(line)].join('\n')}\n`
}

/** `name: value` lines, names to one width. */
export function listText(entries: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries
    .map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${harmless(String(value ?? '-'))}\n`)
    .join('')
}

// A name in a cluster is somebody else's: it must not move the cursor.
function harmless(text: string): string {
  return text.replace(/[^\n\t\P{Cc}]/gu, '?')
}
