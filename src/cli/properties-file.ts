// Reads a Java properties file, the format of `--filter`: `key=value`, `key: value` or `key value` lines, comments with
// # or !, lines continued by a backslash, escapes.

export function parseProperties(text: string): Record<string, string> {
  const entries: [string, string][] = []
  let open = ''
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.replace(/^[ \t\f]+/, '')
    if (open === '' && /^(?:[#!]|$)/.test(line)) continue
    // An odd number of backslashes at the end: the next line belongs to this one.
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(line)) open += line.slice(0, -1)
    else {
      entries.push(entryOf(open + line))
      open = ''
    }
  }
  if (open !== '') entries.push(entryOf(open))
  return Object.fromEntries(entries)
}

// The key ends at the first =, : or white space that no backslash precedes.
function entryOf(line: string): [string, string] {
  let end = 0
  while (end < line.length && !/[=:\s]/.test(line[end]!)) end += line[end] === '\\' ? 2 : 1
  const value = line.slice(end).replace(/^\s*[=:]?\s*/, '')
  return [unescaped(line.slice(0, end)), unescaped(value)]
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' }

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, code: string) =>
    code.length === 5
      ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
      : (ESCAPES[code] ?? code),
  )
}
