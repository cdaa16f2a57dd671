// Finds where a Thrift message without frames ends, while its bytes come in, whatever pieces they come in: each byte is looked at
// once, so that a peer that sends a large message slowly costs no more than another. Nothing is kept but how deep it is nested.
import { assertNever } from 'gearpump/spi'
import { thriftInvalid } from './frame-bytes.ts'
import { CODE } from './wire-types.ts'

/** As deep as npm thrift's own reader goes. */
const DEPTH_MAX = 64

/** Types that no table here has; a later version's may. */
const BYTE = 3
const I16 = 6

const FIXED: ReadonlyMap<number, number> = new Map([
  [CODE.bool, 1],
  [BYTE, 1],
  [I16, 2],
  [CODE.i32, 4],
  [CODE.i64, 8],
  [CODE.double, 8],
])

/** What the number that is being read is. */
type Reading =
  | 'version'
  | 'nameLength'
  | 'fieldType'
  | 'fieldId'
  | 'textLength'
  | 'keyType'
  | 'itemType'
  | 'count'
  | 'passed'

/** A struct, or the items of a container that are still to come. */
interface Level {
  /** Of items: one type, or those of key and value; none of a struct. */
  readonly types: readonly number[]
  left: number
}

export class UnframedScan {
  readonly #bytesMax: number
  readonly #levels: Level[] = []
  #seen = 0
  #reading: Reading = 'version'
  /** Bytes of it that are still to come, and its value so far. */
  #missing = 4
  #value = 0
  #type = 0
  #keyType: number | undefined = undefined
  #over = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes of `chunk` up to the end of the message, or undefined if it goes on. Throws THRIFT_INVALID. */
  take(chunk: Uint8Array): number | undefined {
    let at = 0
    while (!this.#over) {
      const bytes = Math.min(this.#missing, chunk.length - at)
      if (this.#reading !== 'passed') {
        for (let i = at; i < at + bytes; i++) this.#value = 256 * this.#value + chunk[i]!
      }
      at += bytes
      this.#missing -= bytes
      if (this.#missing > 0) break
      this.#step(this.#value)
    }
    this.#seen += at
    if (this.#seen > this.#bytesMax) throw this.#tooLong(this.#seen)
    return this.#over ? at : undefined
  }

  #step(value: number): void {
    switch (this.#reading) {
      case 'version':
        this.#read('nameLength', 4)
        break
      case 'nameLength':
        this.#levels.push({ types: [], left: 0 })
        // The number of the call is passed over as well; then the arguments begin.
        this.#pass(this.#bounded(value) + 4)
        break
      case 'fieldType':
        this.#type = value
        if (value === CODE.stop) this.#leave()
        else this.#read('fieldId', 2)
        break
      case 'fieldId':
        this.#enter(this.#type)
        break
      case 'textLength':
        this.#pass(this.#bounded(value))
        break
      case 'keyType':
        this.#keyType = value
        this.#read('itemType', 1)
        break
      case 'itemType':
        this.#type = value
        this.#read('count', 4)
        break
      case 'count':
        this.#items(this.#bounded(value))
        break
      case 'passed':
        this.#next()
        break
      default:
        assertNever(this.#reading)
    }
  }

  #read(what: Reading, bytes: number): void {
    this.#reading = what
    this.#missing = bytes
    this.#value = 0
  }

  #pass(bytes: number): void {
    this.#read('passed', bytes)
  }

  // What comes behind a value: a field, an item, or what is behind the container.
  #next(): void {
    const level = this.#levels.at(-1)!
    const { types, left } = level
    if (types.length === 0) this.#read('fieldType', 1)
    else if (left === 0) this.#leave()
    else {
      level.left--
      // Keys and values take turns; what is left of both together is even before a key.
      this.#enter(types[left % types.length === 0 ? 0 : 1]!)
    }
  }

  #leave(): void {
    this.#levels.pop()
    if (this.#levels.length === 0) this.#over = true
    // Not at once: many may end here.
    else this.#pass(0)
  }

  #enter(type: number): void {
    const fixed = FIXED.get(type)
    this.#keyType = undefined
    if (fixed !== undefined) this.#pass(fixed)
    else if (type === CODE.string) this.#read('textLength', 4)
    else if (type === CODE.map) this.#read('keyType', 1)
    else if (type === CODE.list || type === CODE.set) this.#read('itemType', 1)
    else if (type === CODE.struct) this.#deeper({ types: [], left: 0 })
    else throw thriftInvalid(`a value has the unknown type ${type}`)
  }

  #items(count: number): void {
    const types = this.#keyType === undefined ? [this.#type] : [this.#keyType, this.#type]
    const sizes = types.map(type => FIXED.get(type))
    // Of an empty container the types may be anything.
    if (count === 0) this.#pass(0)
    else if (sizes.every(size => size !== undefined)) {
      this.#pass(this.#bounded(sizes.reduce((sum, size) => sum + count * size, 0)))
    } else this.#deeper({ types, left: count * types.length })
  }

  #deeper(level: Level): void {
    if (this.#levels.length >= DEPTH_MAX) throw thriftInvalid('a message is nested too deeply')
    this.#levels.push(level)
    this.#pass(0)
  }

  // Lengths are signed on the wire: a negative one is too long here as well.
  #bounded(bytes: number): number {
    if (bytes <= this.#bytesMax) return bytes
    throw thriftInvalid(
      `${bytes > 0x7fffffff ? bytes | 0 : bytes} bytes are declared in a message; at most ${this.#bytesMax} are taken`,
    )
  }

  #tooLong(bytes: number): Error {
    return thriftInvalid(`a message has ${bytes} bytes; at most ${this.#bytesMax} are taken`)
  }
}
