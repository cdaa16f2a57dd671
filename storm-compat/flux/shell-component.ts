// FluxShellSpout and FluxShellBolt: Storm's own classes for multi-lang components in Flux files, as data. Their
// constructor and config methods are interpreted here; nothing of Java is behind them.
import { nearestName } from 'gearpump/spi'
import type { ShellDescription } from '../topology/shell.ts'
import type { Stream } from '../topology/topology.ts'
import { type Argument, checkCount, textOf, textsOf, UseError } from './arguments.ts'

/** streamparse writes this field for components without outputs, because older Flux versions wanted one. */
const NO_FIELDS_DUMMY = 'NONE_BUT_FLUX_WANTS_SOMETHING_HERE'

const METHODS = [
  'setDefaultStream',
  'setNamedStream',
  'addComponentConfig',
  'setEnv',
  'changeChildCWD',
] as const

type Method = (typeof METHODS)[number]

export class ShellComponent {
  readonly #command: readonly string[]
  readonly #streams = new Map<string, Stream>()
  readonly #config: Record<string, unknown> = {}
  #env: Readonly<Record<string, string>> = {}
  #changeChildCwd = true

  /** `(command)` or `(command, fields of the default stream)`. */
  constructor(args: readonly Argument[], place: string) {
    const form = 'constructorArgs: [[command, argument, …], [field, …]]'
    checkCount(args, { place, name: 'a shell component', form, min: 1, max: 2 })
    this.#command = textsOf(args[0]!, 'the command')
    if (this.#command.length === 0) throw new UseError(args[0]!.place, 'the command is empty')
    if (args[1] !== undefined) this.#setStream('default', args[1])
  }

  call(method: string, args: readonly Argument[], place: string): void {
    if (!isMethod(method)) {
      const near = nearestName(method, METHODS)
      throw new UseError(
        place,
        `shell components have no method "${method}"`,
        near === undefined ? `there are ${METHODS.join(', ')}` : `did you mean "${near}"?`,
      )
    }
    switch (method) {
      case 'setDefaultStream':
        checkCount(args, { place, name: method, form: '[[field, …]]', min: 1, max: 1 })
        this.#setStream('default', args[0]!)
        return
      case 'setNamedStream':
        checkCount(args, { place, name: method, form: '[stream, [field, …]]', min: 2, max: 2 })
        this.#setStream(textOf(args[0]!, 'the name of a stream'), args[1]!)
        return
      case 'addComponentConfig':
        checkCount(args, { place, name: method, form: '[key, value]', min: 2, max: 2 })
        this.#config[textOf(args[0]!, 'a key of the config')] = args[1]!.value
        return
      case 'setEnv':
        checkCount(args, { place, name: method, form: '[{NAME: value, …}]', min: 1, max: 1 })
        this.#env = environmentOf(args[0]!)
        return
      case 'changeChildCWD':
        checkCount(args, { place, name: method, form: '[true or false]', min: 1, max: 1 })
        this.#changeChildCwd = flagOf(args[0]!)
        return
    }
  }

  /** A property is its setter with one argument. */
  set(property: string, value: Argument): void {
    const setter = `set${property.slice(0, 1).toUpperCase()}${property.slice(1)}`
    if (setter === 'setEnv' || setter === 'setDefaultStream') {
      this.call(setter, [value], value.place)
      return
    }
    const hint = 'properties of a shell component are env and defaultStream'
    throw new UseError(value.place, `shell components have no property "${property}"`, hint)
  }

  describe(): ShellDescription {
    return {
      shell: true,
      command: this.#command,
      env: this.#env,
      changeChildCwd: this.#changeChildCwd,
      streams: this.#streams,
      config: this.#config,
    }
  }

  #setStream(stream: string, argument: Argument): void {
    const fields = textsOf(argument, 'output fields')
    if (fields.length === 1 && fields[0] === NO_FIELDS_DUMMY) return
    this.#streams.set(stream, { fields, direct: false })
  }
}

function isMethod(method: string): method is Method {
  return METHODS.includes(method as Method)
}

function environmentOf(argument: Argument): Record<string, string> {
  const { node, value, place } = argument
  if (node?.kind === 'map') {
    const entries = [...node.entries].map(([name, { value: item }]): [string, string] => [
      name,
      textOf({ place: item.place, value: undefined, node: item }, `the variable ${name}`),
    ])
    return Object.fromEntries(entries)
  }
  if (node === undefined && value instanceof Map) {
    return Object.fromEntries([...value].map(([name, text]) => [String(name), String(text)]))
  }
  throw new UseError(place, 'setEnv takes a map of names and values')
}

function flagOf({ value, place }: Argument): boolean {
  if (typeof value === 'boolean') return value
  throw new UseError(place, 'changeChildCWD takes true or false')
}
