// Java classes that are known by name: how such a class is described, and the value classes that others take as
// arguments.
import { nearestName } from 'gearpump/spi'
import { type Argument, checkCount, textsOf, UseError } from './arguments.ts'

/** How to make and set up objects of one class. All throw a UseError for what they cannot take. */
export interface FluxClass {
  construct(args: readonly Argument[], place: string): unknown
  /** A static method that makes an object. */
  factory(name: string, args: readonly Argument[], place: string): unknown
  call(instance: unknown, method: string, args: readonly Argument[], place: string): void
  set(instance: unknown, property: string, value: Argument): void
  /** What stands for the object once it is set up; itself if there is no such method. */
  finish?(instance: unknown): unknown
}

/** The value that org.apache.storm.tuple.Fields stands for. */
export class Fields {
  readonly names: readonly string[]

  constructor(names: readonly string[]) {
    this.names = names
  }
}

export type Construct = (args: readonly Argument[], place: string) => unknown

// Java classes have no other constructors and methods here than those written below.
export function known(
  name: string,
  construct: Construct,
  methods: Readonly<Record<string, (instance: never, args: readonly Argument[]) => void>> = {},
): FluxClass {
  return {
    construct,
    factory: (factory, _args, place) => {
      throw new UseError(place, `${name} has no factory "${factory}" here`)
    },
    call: (instance, method, args, place) => {
      const run = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (run === undefined) {
        const near = nearestName(method, Object.keys(methods))
        const hint = near === undefined ? undefined : `did you mean "${near}"?`
        throw new UseError(place, `${name} has no method "${method}" here`, hint)
      }
      run(instance as never, args)
    },
    set: (instance, property, value) => {
      const setter = `set${property.slice(0, 1).toUpperCase()}${property.slice(1)}`
      const run = Object.hasOwn(methods, setter) ? methods[setter] : undefined
      if (run === undefined) {
        throw new UseError(value.place, `${name} has no property "${property}" here`)
      }
      run(instance as never, [value])
    },
  }
}

export function noArguments(name: string, make: () => unknown): FluxClass {
  return known(name, (args, place) => {
    checkCount(args, { place, name, form: 'without constructorArgs', min: 0, max: 0 })
    return make()
  })
}

// `[word]` as well as a reference to a Fields component.
export function fieldsOf(argument: Argument): readonly string[] {
  return argument.value instanceof Fields ? argument.value.names : textsOf(argument, 'fields')
}
