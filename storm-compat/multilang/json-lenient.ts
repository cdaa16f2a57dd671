// JSON as children write it by hand, and as both of Storm's parsers have always taken it: line ends and tabs as they are
// within strings, commas too many or too few, escapes that JSON does not have, numbers with zeros in front; and what the
// later one takes as well, single quotes and words without any. Looked at only when a text is no JSON (json-framing.ts),
// so that a bolt of three lines of shell works here if it worked there.
import { DEPTH_MAX, JsonError, parseLossless } from './json-lossless.ts'

/** The object that a text is meant to be; undefined where that cannot be said. */
export function parseLenient(text: string): Record<string, unknown> | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  const reader = new LenientReader(text)
  try {
    const value = reader.value(0) as Record<string, unknown>
    return reader.atEnd() ? value : undefined
  } catch (thrown) {
    if (thrown instanceof JsonError) return undefined
    throw thrown
  }
}

const SPACE = /[ \t\r\n]*/y
const SPACE_OR_COMMA = /[ \t\r\n,]*/y
// No blanks in it: a line of plain text between braces is a print, not a message.
const WORD = /[^\s,:{}[\]"']+/y
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs
const ESCAPED: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
}

class LenientReader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  value(depth: number): unknown {
    this.skip(SPACE)
    if (depth > DEPTH_MAX) throw new JsonError('depth', 'nested too deep')
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth + 1)
      case '[':
        return this.array(depth + 1)
      case '"':
      case "'":
        return this.string()
      default:
        return wordValue(this.word())
    }
  }

  atEnd(): boolean {
    this.skip(SPACE)
    return this.at >= this.text.length
  }

  private object(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = []
    this.at++
    for (;;) {
      this.skip(SPACE_OR_COMMA)
      const next = this.text[this.at]
      if (next === '}') break
      const key = next === '"' || next === "'" ? this.string() : this.word()
      this.skip(SPACE)
      if (this.text[this.at] !== ':') throw this.wrong()
      this.at++
      entries.push([key, this.value(depth)])
    }
    this.at++
    return Object.fromEntries(entries)
  }

  private array(depth: number): unknown[] {
    const items: unknown[] = []
    this.at++
    for (;;) {
      this.skip(SPACE_OR_COMMA)
      if (this.text[this.at] === ']') break
      items.push(this.value(depth))
    }
    this.at++
    return items
  }

  private string(): string {
    const quote = this.text[this.at]!
    let end = this.at + 1
    while (end < this.text.length && this.text[end] !== quote) {
      end += this.text[end] === '\\' ? 2 : 1
    }
    if (end >= this.text.length) throw this.wrong()
    const inner = this.text.slice(this.at + 1, end)
    this.at = end + 1
    // What is no escape stays as it was written, as in Storm up to 2.5.
    return inner.replace(ESCAPE, (whole, unicode?: string, byte?: string, char?: string) => {
      if (char !== undefined) return ESCAPED[char] ?? whole
      return String.fromCharCode(Number.parseInt((unicode ?? byte)!, 16))
    })
  }

  private word(): string {
    WORD.lastIndex = this.at
    const found = WORD.exec(this.text)
    if (found === null) throw this.wrong()
    this.at = WORD.lastIndex
    return found[0]
  }

  private skip(pattern: RegExp): void {
    pattern.lastIndex = this.at
    pattern.exec(this.text)
    this.at = pattern.lastIndex
  }

  private wrong(): JsonError {
    return new JsonError('syntax', `unexpected text at offset ${this.at}`)
  }
}

/** A number or one of JSON's words; any other stands for itself, as `True` does in Storm. */
function wordValue(word: string): unknown {
  const plain = word.replace(/^(-?)0+(?=\d)/, '$1').replace(/^(-?\d+)\.$/, '$1.0')
  try {
    return parseLossless(plain)
  } catch (thrown) {
    if (thrown instanceof JsonError) return word
    throw thrown
  }
}
