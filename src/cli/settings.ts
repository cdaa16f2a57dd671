// `-c key=value`: a setting that wins over the file's. The value is JSON where it is JSON, else text.
import type { Problem } from '../base/errors.ts'

export interface Settings {
  readonly config: Readonly<Record<string, unknown>>
  readonly problems: readonly Problem[]
}

/** All of them, and all that is wrong with them. The last one of a key wins. */
export function parseSettings(texts: readonly string[]): Settings {
  const problems: Problem[] = []
  const entries: [string, unknown][] = []
  for (const text of texts) {
    const at = text.indexOf('=')
    const key = text.slice(0, Math.max(0, at)).trim()
    if (key === '') {
      const hint = 'write -c key=value, as in -c topology.workers=2'
      problems.push({ place: `-c ${text}`, message: 'is no setting', hint })
      continue
    }
    const value = parseValue(text.slice(at + 1))
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      const hint = `put it into quotes to pass it as text: -c '${key}="…"'`
      problems.push({ place: `-c ${text}`, message: 'its number has too many digits', hint })
    }
    entries.push([key, value])
  }
  return { config: Object.fromEntries(entries), problems }
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: most values are plain words, and need no quotes.
    return text
  }
}
