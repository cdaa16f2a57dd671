// What people read of an error: what happened, what to do next, and for an error in their own code its stack, without
// the frames of Node and of this package. All of it, ours included, at log level debug.
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { EngineError } from '../base/errors.ts'

/** Frames shown of a stack: the cause is at its top. */
const FRAMES_MAX = 12

export function errorText(thrown: unknown, debug: boolean): string {
  if (debug) return harmless(inspect(thrown, { depth: 4 }))
  if (!(thrown instanceof EngineError)) return harmless(userStack(thrown))
  const lines = [thrown.message]
  if (thrown.hint !== undefined) lines.push(`  ${thrown.hint}`)
  const cause = userCause(thrown)
  if (cause !== undefined) lines.push(indented(framesOf(cause)))
  return harmless(lines.filter(line => line !== '').join('\n'))
}

// The first error in the chain of causes that is not ours, if it brings more than its message: a missing file does not.
function userCause(error: EngineError): Error | undefined {
  let cause = error.cause
  while (cause instanceof EngineError) cause = cause.cause
  return cause instanceof Error && error.code !== 'FILE_NOT_FOUND' ? cause : undefined
}

function userStack(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `something that is no error was thrown: ${inspect(thrown)}`
  const frames = framesOf(thrown)
  const head = `${thrown.name}: ${thrown.message}`
  return frames === '' ? head : `${head}\n${frames}`
}

// A stack begins with the message; that of a link error of modules has the file and line even before it.
function framesOf({ stack = '', message }: Error): string {
  const lines = stack.split('\n')
  const first = lines.findIndex(line => /^ {4}at /.test(line))
  const before = stack.startsWith('file:') ? stack.slice(0, stack.indexOf(message)).split('\n') : []
  const frames = first < 0 ? [] : lines.slice(first)
  const theirs = frames.filter(line => !isOurs(line))
  return [...before.slice(0, -1), ...theirs.slice(0, FRAMES_MAX)].join('\n').trimEnd()
}

const NOT_THEIRS = [
  'node:internal',
  '(<anonymous>)',
  '(data:text/javascript',
  '/commander/lib/',
  '/bin/typescript-hooks.mjs',
  ...ownFolders(),
]

// With source maps a frame names our source by its path; without them what was built from it, by its URL.
function ownFolders(): string[] {
  const root = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url)
  return ['dist/', 'src/', 'storm-compat/', 'connectors/'].flatMap(folder => {
    const { href } = new URL(folder, root)
    return [href, fileURLToPath(href)]
  })
}

function isOurs(frame: string): boolean {
  return NOT_THEIRS.some(part => frame.includes(part))
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}

// Text from a user's file must not move the cursor.
function harmless(text: string): string {
  return text.replace(/[^\n\t\P{Cc}]/gu, '?')
}
