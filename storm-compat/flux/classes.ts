// What a className in a Flux file stands for. Three sorts: Storm's classes that we know (known by name, written
// anew or plain values), TypeScript and JavaScript classes (`./file.ts#Export`), and all other Java, which is
// refused. Modules are imported when the file is loaded, so loading runs the code of the modules it names.
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asError, nearestName, type Problem } from 'gearpump/spi'
import { type Argument, checkCount, textOf, textsOf, UseError } from './arguments.ts'
import type { ObjectDefinition } from './definition.ts'
import { drpcClasses } from './drpc-classes.ts'
import { kafkaClasses } from './kafka-classes.ts'
import { Fields, type FluxClass, fieldsOf, known, noArguments } from './known-class.ts'
import { ShellComponent } from './shell-component.ts'
import { LogInfoBolt, NGrouping, TestWordCounter, TestWordSpout } from './stock-components.ts'

/** PartialKeyGrouping, which is a kind of grouping of its own here. Undefined fields = the first one. */
export class PartialKey {
  readonly fields: readonly string[] | undefined

  constructor(fields: readonly string[] | undefined) {
    this.fields = fields
  }
}

const shell: FluxClass = {
  ...known('a shell component', (args, place) => new ShellComponent(args, place)),
  call: (instance, method, args, place) => (instance as ShellComponent).call(method, args, place),
  set: (instance, property, value) => (instance as ShellComponent).set(property, value),
}

const knownClasses: ReadonlyMap<string, FluxClass> = new Map([
  ...drpcClasses(),
  ...kafkaClasses,
  ['org.apache.storm.flux.wrappers.spouts.FluxShellSpout', shell],
  ['org.apache.storm.flux.wrappers.bolts.FluxShellBolt', shell],
  [
    'org.apache.storm.flux.wrappers.bolts.LogInfoBolt',
    noArguments('LogInfoBolt', () => new LogInfoBolt()),
  ],
  [
    'org.apache.storm.testing.TestWordCounter',
    noArguments('TestWordCounter', () => new TestWordCounter()),
  ],
  [
    'org.apache.storm.testing.TestWordSpout',
    known('TestWordSpout', (args, place) => {
      checkCount(args, { place, name: 'TestWordSpout', form: '[true or false]', min: 0, max: 1 })
      return new TestWordSpout(args[0]?.value !== false)
    }),
  ],
  [
    'org.apache.storm.testing.NGrouping',
    known('NGrouping', (args, place) => {
      checkCount(args, { place, name: 'NGrouping', form: '[number of tasks]', min: 1, max: 1 })
      const count = args[0]!.value
      if (typeof count === 'number' && Number.isSafeInteger(count)) return new NGrouping(count)
      throw new UseError(args[0]!.place, 'NGrouping takes a number of tasks')
    }),
  ],
  [
    'org.apache.storm.grouping.PartialKeyGrouping',
    known('PartialKeyGrouping', (args, place) => {
      checkCount(args, { place, name: 'PartialKeyGrouping', form: '[ref: fields]', min: 0, max: 1 })
      return new PartialKey(args[0] === undefined ? undefined : fieldsOf(args[0]))
    }),
  ],
  [
    'org.apache.storm.tuple.Fields',
    known('Fields', (args, place) => {
      checkCount(args, { place, name: 'Fields', form: '[[field, …]]', min: 1, max: 1 })
      return new Fields(textsOf(args[0]!, 'Fields'))
    }),
  ],
  [
    'java.util.ArrayList',
    known('ArrayList', args => (Array.isArray(args[0]?.value) ? [...args[0].value] : []), {
      add: (list: unknown[], args) => list.push(args[0]?.value),
    }),
  ],
  [
    'java.util.HashMap',
    known('HashMap', () => new Map(), {
      put: (map: Map<string, unknown>, args) => {
        if (args[0] !== undefined) map.set(textOf(args[0], 'a key'), args[1]?.value)
      },
    }),
  ],
])

/** Classes by name, as they are needed by one Flux file and what it includes. */
export class ClassTable {
  readonly #modules = new Map<string, FluxClass | Problem>()

  /** Imports the modules that the definitions name. Each is tried once; what fails is told by `get`. */
  async load(definitions: readonly ObjectDefinition[]): Promise<void> {
    for (const definition of definitions) {
      const key = moduleKey(definition)
      if (key === undefined || this.#modules.has(key)) continue
      this.#modules.set(key, await importClass(definition))
    }
  }

  get(definition: ObjectDefinition): FluxClass | Problem {
    const key = moduleKey(definition)
    const loaded = key === undefined ? undefined : this.#modules.get(key)
    if (loaded !== undefined) {
      return isProblem(loaded) ? { ...loaded, place: definition.className.place } : loaded
    }
    return knownClasses.get(currentName(definition.className.value)) ?? unknownClass(definition)
  }
}

export function isProblem(value: FluxClass | Problem): value is Problem {
  return 'message' in value
}

// Before 1.0 all packages were called backtype.storm.
function currentName(className: string): string {
  return className.replace(/^backtype\.storm\./, 'org.apache.storm.')
}

function unknownClass({ className: { value, place } }: ObjectDefinition): Problem {
  const near = nearestClass(value)
  if (near !== undefined) {
    return { place, message: `there is no class "${value}"`, hint: `did you mean "${near}"?` }
  }
  if (/\.[cm]?[jt]s$|^\.{0,2}\//.test(value)) {
    return {
      place,
      message: `"${value}" does not say which export of the module is meant`,
      hint: `write "${value}#MyBolt"`,
    }
  }
  return {
    place,
    message: `the Java class ${value} is not one that runs without Java`,
    hint:
      'it runs with the jar that has it, and Flux: storm local JAR org.apache.storm.flux.Flux FILE --local-ttl 0 ' +
      'on this machine, or storm jar JAR org.apache.storm.flux.Flux --remote FILE on a cluster',
  }
}

// A slip in the class of a known package, or a known class in a wrong package. Anything looser finds Storm's classes
// near every Java class there is, since all those names look alike.
function nearestClass(className: string): string | undefined {
  const [folder, name] = splitName(currentName(className))
  const names = [...knownClasses.keys()]
  const moved = names.find(known => splitName(known)[1] === name)
  if (moved !== undefined) return moved
  const siblings = names.map(splitName).filter(([known]) => known === folder)
  const near = nearestName(
    name,
    siblings.map(([, sibling]) => sibling),
  )
  return near === undefined ? undefined : `${folder}.${near}`
}

function splitName(className: string): [folder: string, name: string] {
  const at = className.lastIndexOf('.')
  return [className.slice(0, Math.max(0, at)), className.slice(at + 1)]
}

function moduleKey({ className, folder }: ObjectDefinition): string | undefined {
  return className.value.includes('#') ? `${folder}\n${className.value}` : undefined
}

async function importClass({ className, folder }: ObjectDefinition): Promise<FluxClass | Problem> {
  const { value, place } = className
  const at = value.lastIndexOf('#')
  const [specifier, name] = [value.slice(0, at), value.slice(at + 1)]
  try {
    const module = (await import(moduleUrl(specifier, folder))) as Record<string, unknown>
    const exported = Object.hasOwn(module, name) ? module[name] : undefined
    if (typeof exported === 'function') return moduleClass(exported as ClassLike, value)
    const near = nearestName(name, Object.keys(module))
    const message =
      exported === undefined
        ? `${specifier} has no export "${name}"`
        : `the export "${name}" of ${specifier} is neither a class nor a function`
    return { place, message, ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }) }
  } catch (thrown) {
    // Node adds the file of ours that asked, which tells the user nothing.
    const reason = asError(thrown).message.replace(/ imported from .*$/s, '')
    return { place, message: `${specifier} cannot be loaded: ${reason}` }
  }
}

function moduleUrl(specifier: string, folder: string): string {
  if (/^(file|node):/.test(specifier)) return specifier
  if (/^\.{0,2}\//.test(specifier)) return pathToFileURL(resolve(folder, specifier)).href
  try {
    const path = createRequire(join(folder, 'flux.yaml')).resolve(specifier)
    return path.startsWith('/') ? pathToFileURL(path).href : path
  } catch {
    // Packages that can only be imported are not found that way; the import itself then says what is wrong.
    return specifier
  }
}

type ClassLike = ((...args: unknown[]) => unknown) & Record<string, unknown>

function moduleClass(exported: ClassLike, name: string): FluxClass {
  const isClass = /^class\b/.test(Function.prototype.toString.call(exported))
  const plain = (args: readonly Argument[]) => args.map(a => a.value)
  return {
    construct: args =>
      isClass ? Reflect.construct(exported, plain(args)) : exported(...plain(args)),
    factory: (factory, args, place) => {
      const make = exported[factory]
      if (typeof make === 'function') return make.apply(exported, plain(args)) as unknown
      throw new UseError(place, `${name} has no static method "${factory}"`)
    },
    call: (instance, method, args, place) => {
      const target = (instance as Record<string, unknown>)[method]
      if (typeof target !== 'function') {
        throw new UseError(place, `${name} has no method "${method}"`)
      }
      target.apply(instance, plain(args))
    },
    set: (instance, property, { value }) => {
      const target = instance as Record<string, unknown>
      const setter = target[`set${property.slice(0, 1).toUpperCase()}${property.slice(1)}`]
      if (typeof setter === 'function') setter.call(instance, value)
      else target[property] = value
    },
  }
}
