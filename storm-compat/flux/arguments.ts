// Arguments of constructors, factories and config methods, with the place of each, so that a class can say which of
// them it cannot take. References are resolved before they come here.
import type { FluxNode } from './yaml-tree.ts'

export interface Argument {
  readonly place: string
  readonly value: unknown
  /** How it was written; undefined for what a reference brought. */
  readonly node: FluxNode | undefined
}

/** A mistake in the use of a class; becomes a Problem at its place. */
export class UseError extends Error {
  readonly place: string
  readonly hint: string | undefined

  constructor(place: string, message: string, hint?: string) {
    super(message)
    this.place = place
    this.hint = hint
  }
}

/** A list of strings, as Java's String[] takes it. Numbers and booleans count as they are written. */
export function textsOf(argument: Argument, what: string): readonly string[] {
  const { node, value, place } = argument
  if (node?.kind === 'list') {
    return node.items.map(item => {
      if (item.kind !== 'scalar' || item.value === null) {
        throw new UseError(item.place, `${what} must be a list of strings`)
      }
      return typeof item.value === 'string' ? item.value : item.text
    })
  }
  if (node === undefined && Array.isArray(value) && value.every(isPlain)) return value.map(String)
  throw new UseError(
    place,
    `${what} must be a list of strings`,
    typeof value === 'string' ? `write [${JSON.stringify(value)}]` : undefined,
  )
}

export function textOf(argument: Argument, what: string): string {
  const { node, value, place } = argument
  if (typeof value === 'string') return value
  if (node?.kind === 'scalar' && node.value !== null) return node.text
  throw new UseError(place, `${what} must be a string`)
}

/** Throws unless the number of arguments is one of those allowed. */
export function checkCount(
  args: readonly Argument[],
  call: { place: string; name: string; form: string; min: number; max: number },
): void {
  if (args.length >= call.min && args.length <= call.max) return
  throw new UseError(
    call.place,
    `${call.name} does not take ${args.length} argument${args.length === 1 ? '' : 's'}`,
    `its form is ${call.form}`,
  )
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
