// Reads what Java's object serialisation wrote (protocol version 2), without Java: `ComponentObject.serialized_java` of a
// topology, for one. No class is loaded and nothing of the stream is run. The stream is a stranger's, so everything is
// bounded: its size, its nesting, and the number of values made; a stream that is cut or changed ends in
// JAVA_STREAM_INVALID, which names the byte and the reason.
import { JavaBytes } from './java-bytes.ts'
import { BYTES_OF, FIRST_HANDLE, MAGIC, SC, TC, VERSION } from './java-letters.ts'
import type {
  JavaArray,
  JavaClass,
  JavaContent,
  JavaEnum,
  JavaField,
  JavaObject,
  JavaPart,
  JavaValue,
} from './java-nodes.ts'

/** A component is a few kilobytes; one that carries a table of its own may have megabytes. */
const BYTES_MAX = 16 * 1024 * 1024
/** Java itself recurses as deep as objects nest and ends near 1,000 to 3,000; our stack must not end first. */
const DEPTH_MAX = 400
/** Values, fields and parts of objects; at about 100 bytes each this bounds the memory. */
const VALUES_MAX = 1_000_000

/** Everything in the stream, in order. */
export function readJavaStream(bytes: Uint8Array): JavaContent[] {
  const reader = new StreamReader(bytes)
  const contents: JavaContent[] = []
  while (reader.more()) contents.push(reader.content())
  return contents
}

/** The first object of the stream, as Java's own `readObject` gives it; what follows is not looked at. */
export function readJavaObject(bytes: Uint8Array): JavaValue {
  const reader = new StreamReader(bytes)
  return reader.value()
}

/** The class of the first object, without reading the object; undefined if it is no object. */
export function readJavaClass(bytes: Uint8Array): JavaClass | undefined {
  return new StreamReader(bytes).classOfFirst()
}

// A class while it is being read: a field's type may refer to what follows.
type Draft<T> = { -readonly [K in keyof T]: T[K] }
type Handle = Exclude<JavaValue, null | boolean | number | bigint>

class StreamReader {
  readonly #bytes: JavaBytes
  readonly #flags = new Map<JavaClass, number>()
  #handles: Handle[] = []
  #depth = 0
  #values = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = new JavaBytes(bytes)
    if (bytes.length > BYTES_MAX) this.#bytes.fail(`it is longer than ${BYTES_MAX} bytes`)
    const magic = this.#bytes.uint16()
    if (magic !== MAGIC) this.#bytes.fail(`it begins with ${hex(magic)} and not with aced`, 0)
    const version = this.#bytes.uint16()
    if (version !== VERSION) this.#bytes.fail(`its version is ${version}, known is ${VERSION}`, 2)
  }

  /** False at the end of the stream. */
  more(): boolean {
    while (this.#bytes.left > 0 && this.#bytes.peek() === TC.RESET) this.#reset()
    return this.#bytes.left > 0
  }

  content(): JavaContent {
    const code = this.#bytes.peek()
    if (code === TC.BLOCKDATA || code === TC.BLOCKDATALONG) return this.#block()
    return this.value()
  }

  classOfFirst(): JavaClass | undefined {
    if (!this.more() || this.#bytes.peek() !== TC.OBJECT) return undefined
    this.#bytes.byte()
    return this.#classDescription() ?? undefined
  }

  value(): JavaValue {
    if (++this.#depth > DEPTH_MAX) this.#bytes.fail(`values nest deeper than ${DEPTH_MAX}`)
    this.#count(1)
    const value = this.#anyValue()
    this.#depth--
    return value
  }

  #anyValue(): JavaValue {
    const at = this.#bytes.offset
    if (this.#depth === 1) this.more()
    const code = this.#bytes.peek()
    switch (code) {
      case TC.NULL:
        this.#bytes.byte()
        return null
      case TC.REFERENCE:
        return this.#reference()
      case TC.CLASSDESC:
      case TC.PROXYCLASSDESC:
        return this.#classDescription()
      case TC.OBJECT:
        return this.#object()
      case TC.STRING:
      case TC.LONGSTRING:
        return this.#string()
      case TC.ARRAY:
        return this.#array()
      case TC.ENUM:
        return this.#enumConstant()
      case TC.CLASS:
        return this.#classObject()
      case TC.EXCEPTION:
        return this.#exception()
      case TC.RESET:
        return this.#bytes.fail('a reset inside of an object', at)
      case TC.BLOCKDATA:
      case TC.BLOCKDATALONG:
        return this.#bytes.fail('bytes where a value must be', at)
      default:
        return this.#bytes.fail(`no value begins with ${hex(code)}`, at)
    }
  }

  #count(values: number): void {
    this.#values += values
    if (this.#values > VALUES_MAX) this.#bytes.fail(`it holds more than ${VALUES_MAX} values`)
  }

  #reset(): void {
    this.#bytes.byte()
    this.#handles = []
  }

  #reference(): Handle {
    const at = this.#bytes.offset
    this.#bytes.byte()
    const handle = this.#bytes.int32()
    const value = this.#handles[handle - FIRST_HANDLE]
    if (value === undefined) this.#bytes.fail(`nothing has the handle ${hex(handle)}`, at)
    return value
  }

  #string(): string {
    const text = this.#bytes.byte() === TC.STRING ? this.#bytes.shortText() : this.#bytes.longText()
    this.#handles.push(text)
    return text
  }

  // The name of an enum's constant, or of a field's type.
  #stringOrReference(what: string): string {
    const at = this.#bytes.offset
    const code = this.#bytes.peek()
    if (code === TC.STRING || code === TC.LONGSTRING) return this.#string()
    const value = code === TC.REFERENCE ? this.#reference() : undefined
    if (typeof value !== 'string') this.#bytes.fail(`${what} must be a text`, at)
    return value
  }

  #block(): JavaContent {
    const at = this.#bytes.offset
    const short = this.#bytes.byte() === TC.BLOCKDATA
    const length = short ? this.#bytes.byte() : this.#bytes.int32()
    if (length < 0) this.#bytes.fail(`a block of ${length} bytes`, at)
    this.#count(1)
    return { kind: 'block', bytes: this.#bytes.block(length) }
  }

  /** What a class wrote by itself, up to its end mark. */
  #annotations(): JavaContent[] {
    const contents: JavaContent[] = []
    while (this.#bytes.peek() !== TC.ENDBLOCKDATA) contents.push(this.content())
    this.#bytes.byte()
    return contents
  }

  #exception(): never {
    const at = this.#bytes.offset
    this.#reset()
    const thrown = this.value()
    const name = typeof thrown === 'object' && thrown?.kind === 'object' ? thrown.className : 'none'
    return this.#bytes.fail(`its writer was stopped by an exception: ${name}`, at)
  }

  // Classes

  // The chain goes upwards in a loop, for its length is the stream's choice.
  #classDescription(): JavaClass | null {
    let first: JavaClass | null = null
    let below: Draft<JavaClass> | undefined
    for (let length = 0; ; length++) {
      if (length > DEPTH_MAX) this.#bytes.fail(`a class has more than ${DEPTH_MAX} above it`)
      const { found, fresh } = this.#oneClass()
      if (below === undefined) first = found
      else below.superclass = found
      if (fresh === undefined) break
      below = fresh
    }
    if (first !== null) this.#checkChain(first)
    return first
  }

  // `fresh` is the class if it was described here, so that its superclass follows.
  #oneClass(): { found: JavaClass | null; fresh: Draft<JavaClass> | undefined } {
    const at = this.#bytes.offset
    const code = this.#bytes.peek()
    if (code === TC.NULL) {
      this.#bytes.byte()
      return { found: null, fresh: undefined }
    }
    if (code === TC.REFERENCE) {
      const value = this.#reference()
      if (typeof value === 'string' || value.kind !== 'class') {
        this.#bytes.fail('a handle where a class must be names none', at)
      }
      return { found: value, fresh: undefined }
    }
    if (code !== TC.CLASSDESC && code !== TC.PROXYCLASSDESC) {
      this.#bytes.fail(`no class description begins with ${hex(code)}`, at)
    }
    this.#bytes.byte()
    const fresh = code === TC.CLASSDESC ? this.#plainClass() : this.#proxyClass()
    return { found: fresh, fresh }
  }

  #plainClass(): Draft<JavaClass> {
    const name = this.#bytes.shortText()
    const serialVersionUid = this.#bytes.int64()
    const fields: JavaField[] = []
    const made = this.#newClass({ name, serialVersionUid, fields })
    const at = this.#bytes.offset
    const flags = this.#bytes.byte()
    if ((flags & SC.SERIALIZABLE) !== 0 && (flags & SC.EXTERNALIZABLE) !== 0) {
      this.#bytes.fail(`${name} is both Serializable and Externalizable`, at)
    }
    this.#flags.set(made, flags)
    made.externalizable = (flags & SC.EXTERNALIZABLE) !== 0
    const count = this.#bytes.uint16()
    for (let i = 0; i < count; i++) fields.push(this.#field())
    made.annotations = this.#nestedAnnotations()
    return made
  }

  #proxyClass(): Draft<JavaClass> {
    const interfaces: string[] = []
    const name = 'java.lang.reflect.Proxy'
    const made = this.#newClass({ name, serialVersionUid: undefined, interfaces })
    this.#flags.set(made, SC.SERIALIZABLE)
    const at = this.#bytes.offset
    const count = this.#bytes.int32()
    // Each name takes two bytes at the least.
    if (count < 0 || count * 2 > this.#bytes.left) {
      this.#bytes.fail(`a proxy of ${count} interfaces`, at)
    }
    this.#count(count)
    for (let i = 0; i < count; i++) interfaces.push(this.#bytes.shortText())
    made.annotations = this.#nestedAnnotations()
    return made
  }

  #newClass(
    start: Pick<JavaClass, 'name' | 'serialVersionUid'> & Partial<JavaClass>,
  ): Draft<JavaClass> {
    const rest = { externalizable: false, fields: [], interfaces: [], annotations: [] }
    const made: Draft<JavaClass> = { kind: 'class', superclass: null, ...rest, ...start }
    this.#handles.push(made)
    this.#count(1)
    return made
  }

  #nestedAnnotations(): JavaContent[] {
    if (++this.#depth > DEPTH_MAX) this.#bytes.fail(`values nest deeper than ${DEPTH_MAX}`)
    const annotations = this.#annotations()
    this.#depth--
    return annotations
  }

  #field(): JavaField {
    const at = this.#bytes.offset
    const letter = String.fromCharCode(this.#bytes.byte())
    const name = this.#bytes.shortText()
    this.#count(1)
    if ('BCDFIJSZ'.includes(letter)) return { name, type: letter }
    if (letter !== 'L' && letter !== '[') {
      this.#bytes.fail(`the field "${name}" is of an unknown type`, at)
    }
    return { name, type: this.#stringOrReference(`the type of the field "${name}"`) }
  }

  // A handle lets a stream name a class as one above itself.
  #checkChain(first: JavaClass): void {
    let length = 0
    for (let at: JavaClass | null = first; at !== null; at = at.superclass) {
      if (++length > DEPTH_MAX) this.#bytes.fail(`the class ${first.name} is above itself`)
    }
  }

  #knownClass(what: string): JavaClass {
    const at = this.#bytes.offset
    const found = this.#classDescription()
    return found ?? this.#bytes.fail(`${what} without a class`, at)
  }

  // Objects

  #object(): JavaObject {
    this.#bytes.byte()
    const of = this.#knownClass('an object')
    const parts: JavaPart[] = []
    const object: JavaObject = { kind: 'object', className: of.name, class: of, parts }
    this.#handles.push(object)
    if (of.externalizable) parts.push(this.#externalPart(of))
    else {
      const chain: JavaClass[] = []
      for (let at: JavaClass | null = of; at !== null; at = at.superclass) chain.unshift(at)
      for (const part of chain) parts.push(this.#part(part))
    }
    return object
  }

  #part(of: JavaClass): JavaPart {
    const fields = new Map<string, JavaValue>()
    this.#count(1 + of.fields.length)
    const wrote = ((this.#flags.get(of) ?? 0) & SC.WRITE_METHOD) !== 0
    if (!(wrote && this.#wroteNoFields(of))) {
      for (const { name, type } of of.fields) fields.set(name, this.#typed(type))
    }
    return { className: of.name, fields, annotations: wrote ? this.#annotations() : [] }
  }

  // A class that writes itself need not write its fields: Thrift's do not. Seen where an object would have to begin.
  #wroteNoFields({ fields: [first] }: JavaClass): boolean {
    if (first === undefined || !/^[L[]/.test(first.type)) return false
    const code = this.#bytes.peek()
    return code === TC.BLOCKDATA || code === TC.BLOCKDATALONG || code === TC.ENDBLOCKDATA
  }

  // Bytes that only the class itself understands.
  #externalPart(of: JavaClass): JavaPart {
    if (((this.#flags.get(of) ?? 0) & SC.BLOCK_DATA) === 0) {
      this.#bytes.fail(`${of.name} wrote itself in a form without an end`)
    }
    this.#count(1)
    return { className: of.name, fields: new Map(), annotations: this.#annotations() }
  }

  #typed(type: string): JavaValue {
    return type.startsWith('L') || type.startsWith('[') ? this.value() : this.#bytes.primitive(type)
  }

  #array(): JavaArray {
    this.#bytes.byte()
    const { name: className } = this.#knownClass('an array')
    const at = this.#bytes.offset
    const type = className.slice(1)
    if (!/^\[(?:[BCDFIJSZ]$|[L[].)/.test(className)) {
      this.#bytes.fail(`an array of the class ${className}`, at)
    }
    const items: JavaValue[] = []
    const array: Draft<JavaArray> = { kind: 'array', className, items }
    this.#handles.push(array)
    const count = this.#bytes.int32()
    const bytesAtLeast = BYTES_OF[type] ?? 1
    if (count < 0 || count * bytesAtLeast > this.#bytes.left) {
      this.#bytes.fail(`an array of ${count} items, and ${this.#bytes.left} bytes are left`, at)
    }
    if (type === 'B') {
      array.items = this.#bytes.block(count)
      return array
    }
    if (BYTES_OF[type] !== undefined) this.#count(count)
    for (let i = 0; i < count; i++) items.push(this.#typed(type))
    return array
  }

  #enumConstant(): JavaEnum {
    this.#bytes.byte()
    const { name: className } = this.#knownClass('an enum constant')
    const made: Draft<JavaEnum> = { kind: 'enum', className, constant: '' }
    this.#handles.push(made)
    made.constant = this.#stringOrReference('the name of an enum constant')
    return made
  }

  #classObject(): JavaValue {
    this.#bytes.byte()
    const made = { kind: 'classObject', class: this.#knownClass('a class object') } as const
    this.#handles.push(made)
    return made
  }
}

function hex(number: number): string {
  return (number >>> 0).toString(16).padStart(2, '0')
}
