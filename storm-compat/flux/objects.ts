// Makes the objects that definitions describe: resolves `ref` and `reflist`, calls constructors or factories, sets
// properties and calls config methods, in Storm's order. Every task gets objects of its own: an in-process component
// is made anew for each, together with all it refers to, as if it had been copied to its worker.
import { asError, nearestName, type Problem, UserError } from 'gearpump/spi'
import { type Argument, UseError } from './arguments.ts'
import { type ClassTable, isProblem } from './classes.ts'
import type { BeanDefinition, ObjectDefinition } from './definition.ts'
import { type FluxNode, toValue } from './yaml-tree.ts'

/** References from component to component; deeper ones are a mistake or an attack. */
const REFERENCE_DEPTH_MAX = 100

export class ObjectMaker {
  readonly #components: ReadonlyMap<string, BeanDefinition>
  readonly #classes: ClassTable

  constructor(components: readonly BeanDefinition[], classes: ClassTable) {
    this.#components = new Map(components.map(c => [c.id.value, c]))
    this.#classes = classes
  }

  /** A new object, with new copies of all it refers to. Throws a UseError at the place of the mistake. */
  make(definition: ObjectDefinition): unknown {
    return new Making(this.#components, this.#classes).object(definition, 0)
  }

  /** The same, with the mistake put into the list instead of thrown. */
  tryMake(definition: ObjectDefinition, problems: Problem[]): unknown {
    try {
      return this.make(definition)
    } catch (thrown) {
      problems.push(...problemsOf(thrown, definition))
      return undefined
    }
  }
}

function problemsOf(thrown: unknown, { className }: ObjectDefinition): readonly Problem[] {
  const { value, place } = className
  if (thrown instanceof UseError) {
    const { message, hint } = thrown
    return [{ place: thrown.place, message, ...(hint === undefined ? {} : { hint }) }]
  }
  // Mistakes in the options of a component of ours: each says what it is about.
  if (thrown instanceof UserError) {
    return thrown.problems.map(problem => ({ ...problem, place }))
  }
  return [{ place, message: `${value}: ${asError(thrown).message}` }]
}

// One making: within it a component is made once, however often it is referred to.
class Making {
  readonly #components: ReadonlyMap<string, BeanDefinition>
  readonly #classes: ClassTable
  readonly #made = new Map<string, unknown>()
  readonly #open = new Set<string>()

  constructor(components: ReadonlyMap<string, BeanDefinition>, classes: ClassTable) {
    this.#components = components
    this.#classes = classes
  }

  object(definition: ObjectDefinition, depth: number): unknown {
    const { className, factory } = definition
    const type = this.#classes.get(definition)
    if (isProblem(type)) throw new UseError(type.place, type.message, type.hint)
    const args = (nodes: readonly FluxNode[]) => nodes.map(node => this.#argument(node, depth))
    const made =
      factory === undefined || definition.constructorArgs.length > 0
        ? type.construct(args(definition.constructorArgs), className.place)
        : type.factory(factory.value, args(definition.factoryArgs), factory.place)
    for (const { name, place, value, ref } of definition.properties) {
      const argument =
        ref === undefined
          ? this.#argument(value!, depth)
          : { place, node: undefined, value: this.#component(ref.value, ref.place, depth) }
      type.set(made, name, argument)
    }
    for (const method of definition.configMethods) {
      type.call(made, method.name, args(method.args), method.place)
    }
    return type.finish === undefined ? made : type.finish(made)
  }

  #argument(node: FluxNode, depth: number): Argument {
    const reference = referenceOf(node)
    const { place } = node
    if (reference === undefined) return { place, node, value: toValue(node) }
    const values = reference.ids.map(id => this.#component(id, place, depth))
    return { place, node: undefined, value: reference.list ? values : values[0] }
  }

  #component(id: string, place: string, depth: number): unknown {
    if (this.#made.has(id)) return this.#made.get(id)
    const definition = this.#components.get(id)
    if (definition === undefined) {
      const near = nearestName(id, this.#components.keys())
      const hint = near === undefined ? undefined : `did you mean "${near}"?`
      throw new UseError(place, `there is no component "${id}"`, hint)
    }
    if (this.#open.has(id) || depth >= REFERENCE_DEPTH_MAX) {
      throw new UseError(place, `component "${id}" refers to itself`)
    }
    this.#open.add(id)
    const made = this.object(definition, depth + 1)
    this.#open.delete(id)
    this.#made.set(id, made)
    return made
  }
}

// `{ref: id}` and `{reflist: [id, …]}`, with no other key; anything else is a value.
function referenceOf(node: FluxNode): { ids: readonly string[]; list: boolean } | undefined {
  if (node.kind !== 'map' || node.entries.size !== 1) return undefined
  const ref = node.entries.get('ref')?.value
  if (ref?.kind === 'scalar') return { ids: [ref.text], list: false }
  const list = node.entries.get('reflist')?.value
  if (list?.kind !== 'list') return undefined
  return { ids: list.items.map(item => (item.kind === 'scalar' ? item.text : '')), list: true }
}
