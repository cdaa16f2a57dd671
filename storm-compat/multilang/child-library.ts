// Whether a child's library keeps task ids that come before they are asked for, as Storm's own storm.py and storm.rb do.
// Others do not (storm.js takes each list of ids for the answer to its oldest emit), and there is no way to ask: so the
// files that the child will load are looked at. Whatever is not as expected counts as no, which only costs speed.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { ShellCommand } from './shell-process.ts'

/** Storm's are 10 kB; a larger file is something else. */
const SOURCE_BYTES_MAX = 1024 * 1024

interface Language {
  readonly program: RegExp
  readonly extension: string
  /** In a script that uses the library beside it. */
  readonly imports: RegExp
  /** In a script that reads its input by itself: it may not expect ids where they come now. */
  readonly reads: RegExp
  /** What makes a library one that queues: ids that come early are kept, and looked for first. */
  readonly queues: readonly RegExp[]
}

const PYTHON: Language = {
  program: /^(python|pypy)[\d.]*$/,
  extension: '.py',
  imports: /^[ \t]*(import storm\b|from storm import\b)/m,
  reads:
    /\b(readMsg|readTaskIds|readCommand|readTuple|pending_taskids|pending_commands)\b|\bstdin\b/,
  queues: [
    /def readTaskIds\(\):\s+if pending_taskids:\s+return pending_taskids\.popleft\(\)/,
    /while type\(msg\) is list:\s+pending_taskids\.append\(msg\)/,
    /while type\(msg\) is not list:\s+pending_commands\.append\(msg\)/,
  ],
}

const RUBY: Language = {
  program: /^ruby[\d.]*$/,
  extension: '.rb',
  imports: /^[ \t]*require(_relative)?[ (]+["'](\.\/)?storm["']/m,
  reads:
    /\b(read_message|read_task_ids|read_command|pending_taskids|pending_commands)\b|\b(STDIN|gets)\b|\$stdin/,
  queues: [
    /def read_task_ids\s+Storm::Protocol\.pending_taskids\.shift \|\|/,
    /while msg\.is_a\? Array\s+Storm::Protocol\.pending_taskids\.push\(msg\)/,
    /until msg\.is_a\? Array\s+Storm::Protocol\.pending_commands\.push\(msg\)/,
  ],
}

/**
 * Whether a child started so keeps early task ids. Only `program [-u] script …` is understood, with the library as a file
 * beside the script, where its language looks first.
 */
export function queuesTaskIds(shell: ShellCommand, resources: string): boolean {
  const [program = '', ...args] = shell.command
  const language = [PYTHON, RUBY].find(({ program: name }) => name.test(basename(program)))
  const script = args[0] === '-u' ? args[1] : args[0]
  if (language === undefined || script === undefined || script.startsWith('-')) return false
  if (isSafePath(shell)) return false
  const path = resolve(shell.changeChildCwd ? resources : process.cwd(), script)
  const folder = dirname(path)
  const own = sourceOf(path)
  if (own === undefined || !language.imports.test(own) || language.reads.test(own)) return false
  // A package of the name would be found before the file.
  if (existsSync(resolve(folder, 'storm', '__init__.py'))) return false
  const library = sourceOf(resolve(folder, `storm${language.extension}`))
  return library !== undefined && language.queues.every(part => part.test(library))
}

// Python then does not look beside the script.
function isSafePath({ env }: ShellCommand): boolean {
  return (env.PYTHONSAFEPATH ?? process.env.PYTHONSAFEPATH ?? '') !== ''
}

function sourceOf(path: string): string | undefined {
  try {
    return statSync(path).size <= SOURCE_BYTES_MAX ? readFileSync(path, 'utf8') : undefined
  } catch {
    // No such file, or none for us: then the child loads something that nobody here knows.
    return undefined
  }
}
