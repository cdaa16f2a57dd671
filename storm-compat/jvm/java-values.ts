// Collections, boxed values and the like of a Java object stream as values of ours: lists and sets become arrays, maps
// become Maps, enum constants and class objects become their names. What else there is stays the node that it is.
import { EngineError } from 'gearpump/spi'
import {
  fieldOf,
  isObject,
  type JavaArray,
  type JavaBlock,
  type JavaObject,
  type JavaPart,
  type JavaValue,
  partOf,
} from './java-nodes.ts'

export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | JavaObject
  | readonly PlainValue[]
  | ReadonlyMap<PlainValue, PlainValue>

/** A graph with shared parts grows when it is written out as a tree; a configuration has hundreds of values. */
const VALUES_MAX = 100_000
/** Collections in collections; one that holds itself ends here. */
const DEPTH_MAX = 100

/** Java values as plain ones, as deep as collections go. */
export function plainValue(value: JavaValue): PlainValue {
  const walk: Walk = { depth: 0, values: 0 }
  return plain(value, walk)
}

/** A list, set or array of texts; undefined if it is none. */
export function textsOf(value: JavaValue | undefined): string[] | undefined {
  if (value === undefined || value === null) return undefined
  const items = plainValue(value)
  if (!Array.isArray(items) || !items.every(item => typeof item === 'string')) return undefined
  return items
}

interface Walk {
  depth: number
  values: number
}

type Reading = (part: JavaPart, object: JavaObject) => JavaCollection | JavaValue

/** What a collection holds, still as nodes. */
type JavaCollection =
  | { readonly kind: 'list'; readonly items: readonly JavaValue[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [JavaValue, JavaValue])[] }

function plain(value: JavaValue, walk: Walk): PlainValue {
  if (++walk.values > VALUES_MAX) refuse(`it holds more than ${VALUES_MAX} values`)
  if (typeof value !== 'object' || value === null) return value
  if (++walk.depth > DEPTH_MAX) refuse(`collections nest deeper than ${DEPTH_MAX}`)
  const result = plainNode(value, walk)
  walk.depth--
  return result
}

function plainNode(value: Exclude<JavaValue, null | JavaPrimitive>, walk: Walk): PlainValue {
  switch (value.kind) {
    case 'enum':
      return value.constant
    case 'class':
      return value.name
    case 'classObject':
      return value.class.name
    case 'array':
      return Buffer.isBuffer(value.items) ? value.items : all(value.items, walk)
    case 'object':
      return plainObject(value, walk)
  }
}

type JavaPrimitive = boolean | number | bigint | string

function plainObject(object: JavaObject, walk: Walk): PlainValue {
  for (const part of object.parts) {
    const reading = READINGS.get(part.className) ?? GUAVA.get(guavaName(part.className))
    if (reading === undefined) continue
    const read = reading(part, object)
    if (!isCollection(read)) return plain(read, walk)
    if (read.kind === 'list') return all(read.items, walk)
    return new Map(read.entries.map(([key, item]) => [plain(key, walk), plain(item, walk)]))
  }
  return object
}

function all(items: readonly JavaValue[], walk: Walk): PlainValue[] {
  return items.map(item => plain(item, walk))
}

function isCollection(read: JavaCollection | JavaValue): read is JavaCollection {
  return typeof read === 'object' && read !== null && (read.kind === 'list' || read.kind === 'map')
}

function refuse(reason: string): never {
  throw new EngineError('JAVA_STREAM_INVALID', `a Java collection cannot be read: ${reason}`, {
    hint: 'give the component a smaller configuration',
    details: { reason },
  })
}

// How each class writes itself

function list(items: readonly JavaValue[]): JavaCollection {
  return { kind: 'list', items }
}

function map(items: readonly JavaValue[]): JavaCollection {
  const entries: [JavaValue, JavaValue][] = []
  for (let i = 0; i + 1 < items.length; i += 2) entries.push([items[i]!, items[i + 1]!])
  return { kind: 'map', entries }
}

// Sizes are in blocks, and implied by what follows.
function written(part: JavaPart): JavaValue[] {
  return part.annotations.filter((item): item is JavaValue => !isBlock(item))
}

function isBlock(item: JavaValue | JavaBlock): item is JavaBlock {
  return typeof item === 'object' && item !== null && item.kind === 'block'
}

function itemsOf(value: JavaValue | undefined): readonly JavaValue[] {
  if (typeof value !== 'object' || value === null) return []
  if (value.kind === 'array') return Buffer.isBuffer(value.items) ? [...value.items] : value.items
  return isObject(value) ? itemsOfObject(value) : []
}

function itemsOfObject(object: JavaObject): readonly JavaValue[] {
  for (const part of object.parts) {
    const reading = READINGS.get(part.className) ?? GUAVA.get(guavaName(part.className))
    const read = reading?.(part, object)
    if (read !== undefined && isCollection(read) && read.kind === 'list') return read.items
  }
  return []
}

const writtenList: Reading = part => list(written(part))
const writtenMap: Reading = part => map(written(part))
const inField =
  (name: string): Reading =>
  part =>
    part.fields.get(name) ?? null
const oneItem: Reading = part => list([part.fields.get('element') ?? null])

// Java 9's List.of, Set.of, Map.of.
const ofImmutable: Reading = part => {
  const tag = Number(part.fields.get('tag')) & 0xff
  const IS_MAP = 3
  return tag === IS_MAP ? map(written(part)) : list(written(part))
}

// The values, then a null key and a null value as the end.
const concurrentMap: Reading = part => {
  const items = written(part)
  return map(items.slice(0, -2))
}

const vector: Reading = part => {
  const count = Number(part.fields.get('elementCount') ?? 0)
  return list(itemsOf(part.fields.get('elementData')).slice(0, count))
}

const wholeNumber: Reading = part => {
  const magnitude = part.fields.get('magnitude')
  const bytes = isArray(magnitude) && Buffer.isBuffer(magnitude.items) ? magnitude.items : undefined
  const digits = BigInt(`0x${bytes?.toString('hex') || '0'}`)
  return Number(part.fields.get('signum')) < 0 ? -digits : digits
}

function isArray(value: JavaValue | undefined): value is JavaArray {
  return typeof value === 'object' && value !== null && value.kind === 'array'
}

const READINGS: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ...['Integer', 'Long', 'Short', 'Byte', 'Float', 'Double', 'Boolean', 'Character'].map(
    (name): [string, Reading] => [`java.lang.${name}`, inField('value')],
  ),
  ['java.math.BigInteger', wholeNumber],
  ...['AtomicInteger', 'AtomicLong', 'AtomicReference'].map((name): [string, Reading] => [
    `java.util.concurrent.atomic.${name}`,
    inField('value'),
  ]),
  ['java.util.concurrent.atomic.AtomicBoolean', part => part.fields.get('value') !== 0],
  ...['ArrayList', 'LinkedList', 'ArrayDeque', 'HashSet', 'PriorityQueue'].map(
    (name): [string, Reading] => [`java.util.${name}`, writtenList],
  ),
  // The comparator stands before the items.
  ['java.util.TreeSet', part => list(written(part).slice(1))],
  ['java.util.Vector', vector],
  ['java.util.concurrent.CopyOnWriteArrayList', writtenList],
  ['java.util.Arrays$ArrayList', inField('a')],
  ...['HashMap', 'Hashtable', 'TreeMap', 'EnumMap', 'IdentityHashMap'].map(
    (name): [string, Reading] => [`java.util.${name}`, writtenMap],
  ),
  ['java.util.concurrent.ConcurrentHashMap', concurrentMap],
  ['java.util.CollSer', ofImmutable],
  ...['Unmodifiable', 'Synchronized', 'Checked'].flatMap((how): [string, Reading][] => [
    [`java.util.Collections$${how}Map`, inField('m')],
    [`java.util.Collections$${how}Collection`, inField('c')],
  ]),
  ['java.util.Collections$SingletonList', oneItem],
  ['java.util.Collections$SingletonSet', oneItem],
  [
    'java.util.Collections$SingletonMap',
    part => map([part.fields.get('k') ?? null, part.fields.get('v') ?? null]),
  ],
  ['java.util.Collections$EmptyList', () => list([])],
  ['java.util.Collections$EmptySet', () => list([])],
  ['java.util.Collections$EmptyMap', () => map([])],
])

// Guava's immutable collections write a form of their own; Storm ships Guava under other names of packages.
const GUAVA: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ['ImmutableList$SerializedForm', part => list(itemsOf(part.fields.get('elements')))],
  ['ImmutableSet$SerializedForm', part => list(itemsOf(part.fields.get('elements')))],
  ['ImmutableSortedSet$SerializedForm', part => list(itemsOf(part.fields.get('elements')))],
  [
    'ImmutableMap$SerializedForm',
    (part, object) => {
      const keys = itemsOf(part.fields.get('keys') ?? fieldOf(object, 'keys'))
      const values = itemsOf(part.fields.get('values') ?? fieldOf(object, 'values'))
      return { kind: 'map', entries: keys.map((key, i) => [key, values[i] ?? null] as const) }
    },
  ],
])

function guavaName(className: string): string {
  const at = className.lastIndexOf('.common.collect.')
  return at < 0 ? '' : className.slice(at + '.common.collect.'.length)
}

/** A map's entries with texts as keys; undefined if it is no map. Other keys are left out. */
export function textMapOf(
  value: JavaValue | undefined,
): ReadonlyMap<string, PlainValue> | undefined {
  if (value === undefined || value === null) return undefined
  const found = plainValue(value)
  if (!(found instanceof Map)) return undefined
  const entries = [...(found as ReadonlyMap<PlainValue, PlainValue>)]
  return new Map(
    entries.filter((entry): entry is [string, PlainValue] => typeof entry[0] === 'string'),
  )
}

/** The fields of Storm's `Fields`; undefined if it is none. */
export function stormFieldsOf(value: JavaValue): readonly string[] | undefined {
  if (
    !isObject(value) ||
    !/^(?:org\.apache|backtype)\.storm\.tuple\.Fields$/.test(value.className)
  ) {
    return undefined
  }
  return textsOf(partOf(value, value.className)?.fields.get('_fields') ?? fieldOf(value, 'fields'))
}
