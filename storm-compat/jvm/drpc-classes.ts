// Storm's own DRPC components out of the Java stream, as plain data, where all that they hold is known here: DRPCSpout, ReturnResults,
// PrepareRequest, JoinResult, and CoordinatedBolt and KeyedFairBolt around a process. What wraps a user's class is Java.
import type { DrpcPart, WrappedPart } from '../drpc/part.ts'
import { fieldOf, isObject, type JavaObject, type JavaValue } from './java-nodes.ts'
import { plainValue } from './java-values.ts'

/** Shells in wrappers in wrappers; deeper is no topology. */
const DEPTH_MAX = 8

const PACKAGE = /^(?:org\.apache|backtype)\.storm\./

/** The command of a component that starts a process; undefined if it is none. */
export type ShellOf = (
  object: JavaObject,
) => Omit<WrappedPart & { part: 'shell' }, 'part'> | undefined

/** undefined if the class is none of Storm's, cannot be read, or wraps what is not known here. */
export function readDrpc(
  className: string,
  object: () => JavaObject | undefined,
  shellOf: ShellOf,
): DrpcPart | undefined {
  if (!PACKAGE.test(className)) return undefined
  const name = className.replace(PACKAGE, '')
  const known = name.startsWith('drpc.') || name === 'coordination.CoordinatedBolt'
  // PrepareRequest is a basic bolt, which Storm puts into an executor of its own.
  if (!known && name !== 'topology.BasicBoltExecutor') return undefined
  const found = object()
  if (found === undefined) return undefined
  if (name === 'drpc.DRPCSpout') {
    const functionName = textField(found, 'function')
    return functionName === undefined ? undefined : { part: 'spout', functionName }
  }
  const part = boltPart(found, shellOf, 0)
  return part?.part === 'shell' ? undefined : part
}

function boltPart(object: JavaObject, shellOf: ShellOf, depth: number): WrappedPart | undefined {
  if (depth > DEPTH_MAX) return undefined
  const delegate = (name: string) => {
    const inner = field(object, name)
    return isObject(inner) ? boltPart(inner, shellOf, depth + 1) : undefined
  }
  const shell = shellOf(object)
  if (shell !== undefined) return { part: 'shell', ...shell }
  if (!PACKAGE.test(object.className)) return undefined
  switch (object.className.replace(PACKAGE, '')) {
    case 'topology.BasicBoltExecutor': {
      const inner = delegate('bolt')
      return inner?.part === 'prepare-request' ? inner : undefined
    }
    case 'drpc.PrepareRequest':
      return { part: 'prepare-request' }
    case 'drpc.ReturnResults':
      return { part: 'return-results' }
    case 'drpc.JoinResult': {
      const returnComponent = textField(object, 'returnComponent')
      return returnComponent === undefined ? undefined : { part: 'join-result', returnComponent }
    }
    case 'drpc.KeyedFairBolt': {
      const inner = delegate('delegate')
      return inner === undefined ? undefined : { part: 'keyed-fair', delegate: inner }
    }
    case 'coordination.CoordinatedBolt': {
      const inner = delegate('delegate')
      return inner === undefined ? undefined : coordinated(object, inner)
    }
    default:
      return undefined
  }
}

function coordinated(object: JavaObject, delegate: WrappedPart): WrappedPart | undefined {
  const sources = sourcesOf(field(object, 'sourceArgs'))
  const spec = field(object, 'idStreamSpec')
  const idStream = isObject(spec) ? streamIdOf(field(spec, 'id')) : undefined
  if (sources === undefined || (isObject(spec) && idStream === undefined)) return undefined
  return { part: 'coordinated', delegate, sources, idStream }
}

function sourcesOf(value: JavaValue | undefined): [string, 'single' | 'all'][] | undefined {
  const map = value === undefined ? null : plainValue(value)
  if (map === null) return []
  if (!(map instanceof Map)) return undefined
  return [...(map as ReadonlyMap<unknown, unknown>)].map(([component, args]) => {
    const single = isObject(args as JavaObject) && fieldOf(args as JavaObject, 'singleCount')
    return [String(component), single === true ? 'single' : 'all']
  })
}

/** A GlobalStreamId writes itself by Thrift's compact protocol: two fields of text, and the end. */
function streamIdOf(
  value: JavaValue | undefined,
): { component: string; stream: string } | undefined {
  if (!isObject(value)) return undefined
  const blocks = value.parts.flatMap(({ annotations }) =>
    annotations.flatMap(content =>
      typeof content === 'object' && content !== null && content.kind === 'block'
        ? [content.bytes]
        : [],
    ),
  )
  const bytes = Buffer.concat(blocks)
  const component = compactText(bytes, 0)
  const stream = component && compactText(bytes, component.end)
  if (component === undefined || stream === undefined || bytes[stream.end] !== 0) return undefined
  return { component: component.text, stream: stream.text }
}

/** The next field, of the type binary. */
const COMPACT_TEXT = 0x18

function compactText(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  if (bytes[at] !== COMPACT_TEXT) return undefined
  // Ids are shorter than the 16,384 that two bytes of a length can say.
  const low = bytes[at + 1] ?? 0
  const long = low >= 0x80
  const length = long ? (low & 0x7f) | ((bytes[at + 2] ?? 0) << 7) : low
  const begin = at + (long ? 3 : 2)
  const end = begin + length
  if (end > bytes.length) return undefined
  return { text: bytes.toString('utf8', begin, end), end }
}

function textField(object: JavaObject, name: string): string | undefined {
  const value = field(object, name)
  return typeof value === 'string' ? value : undefined
}

/** Until Storm 2.0 most fields began with an underscore. */
function field(object: JavaObject, name: string): JavaValue | undefined {
  return fieldOf(object, name) ?? fieldOf(object, `_${name}`)
}
