// The slow, exact half of the JSON reader: a recursive descent parser that keeps what JSON.parse loses. Floats with
// an integral value become `Double`, integers beyond 2^53 become BigInt, and the tokens NaN and Infinity (Python
// writes them) are read. Depth is bounded, so no input can overflow the stack. json.ts decides when it is needed.
import { floatValue } from '../component/values.ts'

/**
 * Deepest nesting of arrays and objects in a message. Python's own parser stops near 1000; this bound leaves room for
 * our recursive walks on a stack that is already deep, and no tuple seen in practice comes near it.
 */
export const DEPTH_MAX = 512

/** Text that is no JSON (`syntax`), or JSON nested deeper than DEPTH_MAX (`depth`). */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly kind: 'syntax' | 'depth'

  constructor(kind: 'syntax' | 'depth', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Parses one JSON text without losing number types. */
export function parseLossless(text: string): unknown {
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

const NUMBER = /-?(?:Infinity|(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y
const SPACE = /[ \t\r\n]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: raw control characters are what is looked for
const NOT_PLAIN = /[\\\u0000-\u001f]/

class Reader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  value(depth: number): unknown {
    this.space()
    switch (this.text.charCodeAt(this.at)) {
      case 0x7b:
        return this.object(depth + 1)
      case 0x5b:
        return this.array(depth + 1)
      case 0x22:
        return this.string()
      case 0x74:
        return this.word('true', true)
      case 0x66:
        return this.word('false', false)
      case 0x6e:
        return this.word('null', null)
      case 0x4e:
        return this.word('NaN', Number.NaN)
      case 0x49:
        return this.word('Infinity', Number.POSITIVE_INFINITY)
      default:
        return this.number()
    }
  }

  end(): void {
    this.space()
    if (this.at < this.text.length) throw this.unexpected()
  }

  private object(depth: number): Record<string, unknown> {
    this.deeper(depth)
    const result: Record<string, unknown> = {}
    if (this.next() === 0x7d) {
      this.at++
      return result
    }
    for (;;) {
      if (this.next() !== 0x22) throw this.unexpected()
      const key = this.string()
      if (this.next() !== 0x3a) throw this.unexpected()
      this.at++
      const value = this.value(depth)
      // Assignment would set the prototype instead of a key of that name.
      if (key === '__proto__') {
        Object.defineProperty(result, key, {
          value,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      } else {
        result[key] = value
      }
      const code = this.next()
      this.at++
      if (code === 0x7d) return result
      if (code !== 0x2c) throw this.unexpected(1)
    }
  }

  private array(depth: number): unknown[] {
    this.deeper(depth)
    const result: unknown[] = []
    if (this.next() === 0x5d) {
      this.at++
      return result
    }
    for (;;) {
      result.push(this.value(depth))
      const code = this.next()
      this.at++
      if (code === 0x5d) return result
      if (code !== 0x2c) throw this.unexpected(1)
    }
  }

  // The closing quote is searched natively: a pattern with a loop could overflow on a string of many megabytes.
  private string(): string {
    const start = this.at
    let end = this.text.indexOf('"', start + 1)
    while (end > 0 && this.escaped(end, start)) end = this.text.indexOf('"', end + 1)
    if (end < 0) throw this.unexpected()
    this.at = end + 1
    const plain = this.text.slice(start + 1, end)
    if (!NOT_PLAIN.test(plain)) return plain
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string
    } catch (thrown) {
      throw new JsonError('syntax', `bad string at offset ${start}: ${(thrown as Error).message}`)
    }
  }

  private escaped(quote: number, start: number): boolean {
    let slash = quote
    while (slash - 1 > start && this.text.charCodeAt(slash - 1) === 0x5c) slash--
    return (quote - slash) % 2 === 1
  }

  private number(): unknown {
    const lexeme = this.match(NUMBER)
    if (lexeme === undefined) throw this.unexpected()
    return numberOf(lexeme)
  }

  private word(word: string, value: unknown): unknown {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected()
    this.at += word.length
    return value
  }

  // The next code unit after white space, for which the common case is that there is none.
  private next(): number {
    let code = this.text.charCodeAt(this.at)
    if (code <= 0x20) {
      this.space()
      code = this.text.charCodeAt(this.at)
    }
    return code
  }

  private space(): void {
    if (this.text.charCodeAt(this.at) > 0x20) return
    this.match(SPACE)
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.at = pattern.lastIndex
    return found[0]
  }

  private deeper(depth: number): void {
    this.at++
    if (depth > DEPTH_MAX) {
      throw new JsonError('depth', `JSON nested deeper than ${DEPTH_MAX} levels`)
    }
  }

  private unexpected(back = 0): JsonError {
    const at = this.at - back
    const found = at < this.text.length ? JSON.stringify(this.text.slice(at, at + 20)) : 'the end'
    return new JsonError('syntax', `unexpected ${found} at offset ${at}`)
  }
}

// The value of a JSON number: integer, BigInt, float or Double, by how it is written.
function numberOf(lexeme: string): unknown {
  const value = Number(lexeme)
  if (/[.eE]/.test(lexeme)) return floatValue(value)
  if (Number.isSafeInteger(value) || lexeme.endsWith('y')) return value
  return BigInt(lexeme)
}
