// Whether components that start a process do more than that in Java: looks up the classes of those of a submitted topology in its jar,
// before the topology is read. Only those few files are unpacked, in memory; a jar without them tells nothing, as for classes
// that lie beside Storm's jars.
import { open } from 'node:fs/promises'
import { EngineError } from 'gearpump/spi'
import { type OverrideOf, overridingMethod } from '../jvm/shell-overrides.ts'
import type { StormTopology as TopologyMessage } from '../thrift/storm-topology.ts'
import type { ReadJavaComponent } from './topology-reader.ts'
import { contentOf, readEntries, type ZipEntry } from './zip-reader.ts'

/** A class has at most 65,535 methods, and real ones some hundred; their code and texts fit well into this. */
const CLASS_BYTES_MAX = 4 * 1024 * 1024
/** A topology has a handful of such classes; each costs a read. */
const CLASSES_MAX = 1000

/** Throws JAR_INVALID for a jar that is damaged or has a class which is none, and TOPOLOGY_INVALID for too many classes. */
export async function overridesIn(
  jar: string,
  message: TopologyMessage,
  readJava: ReadJavaComponent,
): Promise<OverrideOf> {
  const names = shellClasses(message, readJava)
  const found = new Map<string, string>()
  if (names.size > 0) {
    const file = await open(jar, 'r')
    try {
      for (const entry of await readEntries(file)) {
        const name = classNameOf(entry)
        if (!names.has(name)) continue
        const bytes = await contentOf(file, entry, CLASS_BYTES_MAX)
        const method = overridingMethod(entry.name, bytes)
        if (method !== undefined) found.set(name, `${name.replace(/^.*[.$]/, '')}.${method}`)
      }
    } finally {
      await file.close()
    }
  }
  return classNames => {
    const overriding = classNames.find(name => found.has(name))
    return overriding === undefined ? undefined : found.get(overriding)
  }
}

function classNameOf({ name }: ZipEntry): string {
  return name.endsWith('.class') ? name.slice(0, -'.class'.length).replaceAll('/', '.') : ''
}

// Asks the reader about each component; what cannot be read is told when the topology is.
function shellClasses(message: TopologyMessage, readJava: ReadJavaComponent): ReadonlySet<string> {
  const names = new Set<string>()
  const objects = [
    ...[...message.spouts.values()].map(({ spout_object }) => spout_object),
    ...[...message.bolts.values()].map(({ bolt_object }) => bolt_object),
  ]
  for (const object of objects) {
    if (object.kind !== 'serialized_java') continue
    try {
      readJava(object.value, classNames => {
        for (const name of classNames) names.add(name)
        return undefined
      })
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
    }
  }
  if (names.size > CLASSES_MAX) {
    const text = `${names.size} classes of the topology start a process; ${CLASSES_MAX} are taken`
    throw new EngineError('TOPOLOGY_INVALID', text, { hint: 'let components share their classes' })
  }
  return names
}
