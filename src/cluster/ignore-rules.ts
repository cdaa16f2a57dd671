// What a bundle leaves out: version control, caches, and this engine itself (each worker has its own); and what a
// `.gearignore` lists, in the form of a `.gitignore`: `*`, `?`, `**`, `/` at the start for the top directory only, `/` at
// the end for directories only, `!` takes back, the last line that fits decides, `#` begins a comment.
import { EngineError } from '../base/errors.ts'

/** Name of the file with the rules; it stands in the bundle's top directory and is itself left out. */
export const IGNORE_FILE = '.gearignore'

const LINES_MAX = 1000
const LINE_LENGTH_MAX = 1000

interface Rule {
  readonly pattern: RegExp
  readonly directoriesOnly: boolean
  readonly takesBack: boolean
}

export type Ignored = (name: string, isDirectory: boolean) => boolean

/** `text` is what the `.gearignore` says. Names are relative to the bundle, with `/` between the parts. */
export function ignoreRules(text: string): Ignored {
  const lines = text.split(/\r?\n/)
  if (lines.length > LINES_MAX || lines.some(line => line.length > LINE_LENGTH_MAX))
    throw new EngineError(
      'BUNDLE_REFUSED',
      `${IGNORE_FILE} has more than ${LINES_MAX} lines, or one of more than ${LINE_LENGTH_MAX} characters`,
    )
  const rules = lines
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(ruleOf)
  return (name, isDirectory) => {
    if (isAlwaysLeftOut(name)) return true
    const last = rules.findLast(
      rule => rule.pattern.test(name) && (isDirectory || !rule.directoriesOnly),
    )
    return last !== undefined && !last.takesBack
  }
}

function isAlwaysLeftOut(name: string): boolean {
  return name === IGNORE_FILE || /(^|\/)(\.git|node_modules\/(gearpump|\.cache))$/.test(name)
}

function ruleOf(line: string): Rule {
  const takesBack = line.startsWith('!')
  const body = takesBack ? line.slice(1) : line
  const directoriesOnly = body.endsWith('/')
  const path = body.replace(/\/+$/, '')
  // As in git: a slash anywhere but at the end ties the pattern to the top directory.
  const start = path.includes('/') ? '^' : '^(?:.*/)?'
  const pattern = new RegExp(`${start}${regexOf(path.replace(/^\/+/, ''))}$`)
  return { pattern, directoriesOnly, takesBack }
}

// Neighbouring stars are one: otherwise a line of stars would take for ever to not match.
function regexOf(glob: string): string {
  return glob
    .replace(/\*{3,}/g, '**')
    .split(/(\*\*\/|\/\*\*$|\*+|\?)/)
    .map(part => {
      if (part === '**/') return '(?:[^/]+/)*'
      if (part === '/**') return '/.+'
      if (part === '?') return '[^/]'
      if (part.startsWith('*')) return '[^/]*'
      return part.replace(/[.+^${}()|[\]\\]/g, '\\$&')
    })
    .join('')
}
