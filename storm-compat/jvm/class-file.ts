// The methods that a Java class declares, out of its class file: the table of methods and nothing else. No code is looked at, and no
// Java is needed. Every length is checked by the buffer before anything is read, and the loops are bounded by counts of two bytes.
import { EngineError } from 'gearpump/spi'

export interface ClassMethod {
  readonly name: string
  /** Types of parameters and result, as class files write them: `(Ljava/util/Map;)V`. */
  readonly descriptor: string
  readonly isStatic: boolean
  readonly isPrivate: boolean
}

const MAGIC = 0xcafebabe
/** Where the constants begin. */
const HEADER_BYTES = 10
const PRIVATE = 0x0002
const STATIC = 0x0008

const TEXT = 1
const LONG = 5
const DOUBLE = 6
/** Bytes behind the tag, by tag, of the constants that are not texts. */
const CONSTANT_BYTES: Readonly<Record<number, number>> = {
  3: 4,
  4: 4,
  [LONG]: 8,
  [DOUBLE]: 8,
  7: 2,
  8: 2,
  9: 4,
  10: 4,
  11: 4,
  12: 4,
  15: 3,
  16: 2,
  17: 4,
  18: 4,
  19: 2,
  20: 2,
}

/**
 * The methods of the class in the file `name`, in its order. Throws JAR_INVALID, naming the file.
 *
 * @example classMethods('MyBolt.class', bytes).map(({ name }) => name) // ['<init>', 'execute']
 */
export function classMethods(name: string, bytes: Uint8Array): ClassMethod[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    if (file.readUInt32BE(0) === MAGIC) return methodsOf(file)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new EngineError('JAR_INVALID', `${name} in the jar is no Java class, or is cut`, {
    hint: 'build the jar again and submit it again',
    details: { name, bytes: file.length },
  })
}

function methodsOf(file: Buffer): ClassMethod[] {
  const constants = textsOf(file)
  // Access, this class, superclass.
  let at = constants.end + 6
  at += 2 + 2 * file.readUInt16BE(at)
  const methods: ClassMethod[] = []
  // Fields and methods have the same form.
  for (const isMethods of [false, true]) {
    let count = file.readUInt16BE(at)
    at += 2
    for (; count > 0; count--) {
      const access = file.readUInt16BE(at)
      if (isMethods) {
        methods.push({
          name: constants.textAt(file.readUInt16BE(at + 2)),
          descriptor: constants.textAt(file.readUInt16BE(at + 4)),
          isStatic: (access & STATIC) !== 0,
          isPrivate: (access & PRIVATE) !== 0,
        })
      }
      at = afterAttributes(file, at + 6)
    }
  }
  return methods
}

function afterAttributes(file: Buffer, from: number): number {
  let at = from + 2
  for (let count = file.readUInt16BE(from); count > 0; count--) at += 6 + file.readUInt32BE(at + 2)
  return at
}

// Where each text is; all other constants are only passed over.
function textsOf(file: Buffer): { end: number; textAt: (index: number) => string } {
  const starts: number[] = []
  const count = file.readUInt16BE(HEADER_BYTES - 2)
  let at = HEADER_BYTES
  for (let index = 1; index < count; index++) {
    const tag = file.readUInt8(at)
    if (tag === TEXT) {
      starts[index] = at + 1
      at += 3 + file.readUInt16BE(at + 1)
      continue
    }
    const bytes = CONSTANT_BYTES[tag]
    if (bytes === undefined) throw new RangeError(`the constant ${index} has the tag ${tag}`)
    at += 1 + bytes
    // These two take the next index as well.
    if (tag === LONG || tag === DOUBLE) index++
  }
  const textAt = (index: number): string => {
    const start = starts[index]
    if (start === undefined) throw new RangeError(`the constant ${index} is no text`)
    const begin = start + 2
    return file.toString('utf8', begin, begin + file.readUInt16BE(start))
  }
  return { end: at, textAt }
}
