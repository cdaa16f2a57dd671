// Arguments of the Kafka classes in Flux files: numbers, flags, and properties as a map, a list of pairs or a
// reference.
import { type Argument, UseError } from './arguments.ts'

export function numberOf({ value, place }: Argument, what: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'bigint') return Number(number)
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new UseError(place, `${what} must be a number`)
}

export function flagOf({ value, place }: Argument, what: string): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw new UseError(place, `${what} must be true or false`)
}

/** A map in the file, or a reference to Properties or a HashMap. */
export function propertiesOf(argument: Argument): Record<string, unknown> {
  const { value, place } = argument
  if (value instanceof Map) return Object.fromEntries(value as ReadonlyMap<string, unknown>)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { ...(value as Record<string, unknown>) }
  }
  throw new UseError(place, 'properties are a map of names and values')
}

export function addProperties(map: Map<string, unknown>, argument: Argument): void {
  for (const [key, value] of Object.entries(propertiesOf(argument))) map.set(key, value)
}

/** An object that has something under this name. */
export function isObjectWith<T>(value: unknown, name: string): value is T {
  return typeof value === 'object' && value !== null && name in value
}
