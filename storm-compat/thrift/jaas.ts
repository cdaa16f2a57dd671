// A JAAS file, as far as Storm's digest plug-in reads one: sections of options. The section StormServer holds the users that a
// server knows (`user_NAME="password"`), StormClient who a client is (`username`, `password`). Errors name the place and never the
// text there, which may be a password.
import { EngineError } from 'gearpump/spi'
import type { Login, PasswordOf } from './sasl-digest.ts'

/** A section with the options of all its entries. */
type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>

/** The passwords of the users of the section StormServer. */
export function jaasUsers(text: string, file: string): PasswordOf {
  const users = new Map<string, string>()
  for (const [key, value] of section(text, file, 'StormServer')) {
    if (key.startsWith('user_')) users.set(key.slice('user_'.length), value)
  }
  return user => users.get(user)
}

/** Who a client is, by the section StormClient. */
export function jaasLogin(text: string, file: string): Login {
  const options = section(text, file, 'StormClient')
  const [user, password] = [options.get('username'), options.get('password')]
  if (user !== undefined && password !== undefined) return { user, password }
  throw new EngineError('BAD_INPUT', `${file}: StormClient has no username or no password`, {
    hint: 'write username="…" password="…" into it',
  })
}

function section(text: string, file: string, name: string): ReadonlyMap<string, string> {
  const found = sectionsOf(text, file).get(name)
  if (found !== undefined) return found
  throw new EngineError('BAD_INPUT', `${file} has no section ${name}`, {
    hint: `write ${name} { org.apache.storm.security.auth.digest.DigestLoginModule required …; };`,
  })
}

/** Comments and blanks, else one token: a text in quotes, a sign, or a word. */
const TOKEN =
  /(?:\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)|"((?:[^"\\\n]|\\.)*)"|([{};=])|([^\s{};="]+)/y

interface Token {
  readonly kind: 'sign' | 'text'
  readonly text: string
  readonly line: number
}

function tokensOf(text: string, file: string): Token[] {
  const tokens: Token[] = []
  const at = new RegExp(TOKEN)
  let line = 1
  while (at.lastIndex < text.length) {
    const match = at.exec(text)
    if (match === null) throw unreadable(file, line)
    const [whole, quoted, sign, word] = match
    const value = quoted?.replace(/\\(.)/g, '$1') ?? word
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, line })
    else if (value !== undefined) tokens.push({ kind: 'text', text: value, line })
    line += whole.split('\n').length - 1
  }
  return tokens
}

// NAME { CLASS FLAG KEY=VALUE …; … };
function sectionsOf(text: string, file: string): Sections {
  const tokens = tokensOf(text, file)
  const sections = new Map<string, Map<string, string>>()
  let at = 0
  const take = (kind: Token['kind'], sign?: string): string => {
    const token = tokens[at]
    if (token?.kind !== kind || (sign !== undefined && token.text !== sign)) {
      throw unreadable(file, (token ?? tokens.at(-1))?.line ?? 1)
    }
    at++
    return token.text
  }
  const isSign = (sign: string) => tokens[at]?.kind === 'sign' && tokens[at]?.text === sign
  while (at < tokens.length) {
    const name = take('text')
    const options = sections.get(name) ?? new Map<string, string>()
    sections.set(name, options)
    take('sign', '{')
    while (!isSign('}')) {
      take('text')
      take('text')
      while (!isSign(';')) {
        const key = take('text')
        take('sign', '=')
        options.set(key, take('text'))
      }
      take('sign', ';')
    }
    take('sign', '}')
    take('sign', ';')
  }
  return sections
}

function unreadable(file: string, line: number): EngineError {
  return new EngineError('BAD_INPUT', `${file}: line ${line} is not JAAS`, {
    hint: 'write NAME { CLASS required KEY="VALUE"; };',
    details: { file, line },
  })
}
