// Takes typed values out of the nodes of a Flux file. Each method reports a wrong type or a missing key as a Problem
// at the node's own place and returns undefined, so that the caller can read on and all mistakes are found at once.
// A key whose value is empty counts as not written.
import { nearestName, type Problem } from 'gearpump/spi'
import type { FluxNode, MapNode } from './yaml-tree.ts'

export class NodeReader {
  readonly #problems: Problem[]

  constructor(problems: Problem[]) {
    this.#problems = problems
  }

  /** A map with known keys only. `what` names the thing, with its article. */
  map(node: FluxNode, what: string, keys: readonly string[]): MapNode | undefined {
    if (node.kind !== 'map') {
      this.#wrong(node, `${what} must be a map with keys such as ${keys.slice(0, 3).join(', ')}`)
      return undefined
    }
    for (const [key, { keyPlace }] of node.entries) {
      if (keys.includes(key)) continue
      const near = nearestName(key, keys)
      this.#problems.push({
        place: keyPlace,
        message: `"${key}" is not a key of ${what}`,
        hint: near === undefined ? `known are ${keys.join(', ')}` : `did you mean "${near}"?`,
      })
    }
    return node
  }

  optionalMap(parent: MapNode | undefined, key: string): MapNode | undefined {
    const node = this.#written(parent, key)
    if (node === undefined || node.kind === 'map') return node
    this.#wrong(node, `${key} must be a map`)
    return undefined
  }

  /** Empty if the key is not there. */
  optionalList(parent: MapNode | undefined, key: string): readonly FluxNode[] {
    const node = this.#written(parent, key)
    if (node === undefined) return []
    if (node.kind === 'list') return node.items
    this.#wrong(node, `${key} must be a list`)
    return []
  }

  /** A text that must be there. */
  text(
    parent: MapNode | undefined,
    key: string,
    what: string,
  ): { value: string; place: string } | undefined {
    if (parent === undefined) return undefined
    const node = this.#written(parent, key)
    if (node === undefined) {
      this.#problems.push({ place: parent.place, message: `${what} needs ${key}` })
      return undefined
    }
    return this.#text(node, key)
  }

  optionalText(
    parent: MapNode | undefined,
    key: string,
  ): { value: string; place: string } | undefined {
    const node = this.#written(parent, key)
    return node === undefined ? undefined : this.#text(node, key)
  }

  optionalTexts(
    parent: MapNode,
    key: string,
  ): { value: readonly string[]; place: string } | undefined {
    const node = this.#written(parent, key)
    if (node === undefined) return undefined
    return { place: node.place, value: this.texts(node, key) ?? [] }
  }

  /** A list of texts; numbers and booleans count as they are written. */
  texts(node: FluxNode, what: string): readonly string[] | undefined {
    if (node.kind !== 'list') {
      this.#wrong(node, `${what} must be a list of strings`)
      return undefined
    }
    const texts: string[] = []
    for (const item of node.items) {
      if (item.kind === 'scalar' && item.value !== null) texts.push(textOf(item))
      else this.#wrong(item, `${what} must be a list of strings`)
    }
    return texts.length === node.items.length ? texts : undefined
  }

  optionalFlag(parent: MapNode | undefined, key: string): boolean | undefined {
    const node = this.#written(parent, key)
    if (node === undefined) return undefined
    const value = unquoted(node)
    if (typeof value === 'boolean') return value
    this.#wrong(node, `${key} must be true or false`)
    return undefined
  }

  optionalNumber(parent: MapNode, key: string): number | undefined {
    const node = this.#written(parent, key)
    if (node === undefined) return undefined
    const value = unquoted(node)
    if (typeof value === 'number') return value
    this.#wrong(node, `${key} must be a number`)
    return undefined
  }

  /** A positive integer, or `unset`. */
  optionalCount(parent: MapNode, key: string, unset?: number): number | undefined {
    const node = this.#written(parent, key)
    if (node === undefined) return undefined
    const value = unquoted(node)
    if (
      typeof value === 'number' &&
      (value === unset || (Number.isSafeInteger(value) && value > 0))
    ) {
      return value
    }
    this.#wrong(node, `${key} must be a positive integer`)
    return undefined
  }

  #written(parent: MapNode | undefined, key: string): FluxNode | undefined {
    const node = parent?.entries.get(key)?.value
    return node === undefined || (node.kind === 'scalar' && node.value === null) ? undefined : node
  }

  #text(node: FluxNode, key: string): { value: string; place: string } | undefined {
    if (node.kind === 'scalar' && node.value !== null) {
      return { value: textOf(node), place: node.place }
    }
    this.#wrong(node, `${key} must be a string`)
    return undefined
  }

  #wrong(node: FluxNode, message: string): void {
    this.#problems.push({ place: node.place, message: `${message}, is ${kindOf(node)}` })
  }
}

// `[7, yes]` where words are wanted: what the user wrote, not what YAML made of it.
function textOf(node: Extract<FluxNode, { kind: 'scalar' }>): string {
  return typeof node.value === 'string' ? node.value : node.text
}

// `"2"` or `"true"` where a number or a flag is wanted: Storm reads what is in the quotes. Files with properties put
// into them (`parallelism: "${spouts}"`) are full of it.
function unquoted(node: FluxNode): unknown {
  if (node.kind !== 'scalar') return undefined
  if (typeof node.value !== 'string') return node.value
  const text = node.value.toLowerCase()
  if (/^[+-]?(?:0|[1-9]\d*)$/.test(text)) return Number(text)
  return FLAGS.get(text)
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['no', false],
  ['off', false],
])

/** Longest piece of the file that a message repeats. */
const SHOWN_MAX = 40

function kindOf(node: FluxNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`
  if (node.value === null) return 'empty'
  return node.text.length > SHOWN_MAX ? `"${node.text.slice(0, SHOWN_MAX)}…"` : `"${node.text}"`
}
