// What `gear run FILE --help` adds to the help: the arguments that the file declares.
import type { ArgumentSpec } from '../app/application.ts'
import type { DeclaredArguments } from '../client/program-file.ts'

export function argumentsHelp(file: string, args: DeclaredArguments | undefined): string {
  const specs = Object.entries(args ?? {})
  if (specs.length === 0) return `${file} declares no arguments.\n`
  const left = specs.map(([name, spec]) => `--${name}${placeholder(spec)}`)
  const width = Math.max(...left.map(text => text.length))
  const lines = specs.map(([, spec], i) => `  ${left[i]!.padEnd(width)}  ${remark(spec)}`.trimEnd())
  return `Arguments of ${file}, after --:\n${lines.join('\n')}\n`
}

function placeholder({ type = 'string' }: ArgumentSpec): string {
  if (type === 'boolean') return ''
  return type === 'number' ? ' <number>' : ' <text>'
}

function remark(spec: ArgumentSpec): string {
  const parts = spec.description === undefined ? [] : [spec.description]
  if (spec.default !== undefined) parts.push(`(default: ${JSON.stringify(spec.default)})`)
  else if (spec.required === true) parts.push('(required)')
  return parts.join(' ')
}
