// What the classes of a submitted topology's components tell, out of its jar and before the topology is read: whether those that start
// a process do more than that in Java, and which were made for a Storm before 1.0. Only those few files are unpacked, in memory; a
// jar without them tells nothing, as for classes that lie beside Storm's jars.
import { open } from 'node:fs/promises'
import { EngineError } from 'gearpump/spi'
import { type OverrideOf, overridingMethod } from '../jvm/shell-overrides.ts'
import type { StormTopology as TopologyMessage } from '../thrift/storm-topology.ts'
import type { ReadJavaComponent } from './topology-reader.ts'
import { contentOf, readEntries, type ZipEntry } from './zip-reader.ts'

export interface JarClasses {
  readonly overrideOf: OverrideOf
  /** Whether a class that the topology names uses Storm's packages of 0.9 and 0.10. */
  isBacktype(className: string): boolean
}

/** A class has at most 65,535 methods, and real ones some hundred; their code and texts fit well into this. */
const CLASS_BYTES_MAX = 4 * 1024 * 1024
/** A topology has a handful of such classes; each costs a read. */
const CLASSES_MAX = 1000
/** As class files name what they use. */
const BACKTYPE = 'backtype/storm/'

/** Throws JAR_INVALID for a jar that is damaged or has a class which is none, and TOPOLOGY_INVALID for too many classes. */
export async function readJarClasses(
  jar: string,
  message: TopologyMessage,
  readJava: ReadJavaComponent,
): Promise<JarClasses> {
  const names = namedClasses(message, readJava)
  const overrides = new Map<string, string>()
  const backtype = new Set<string>()
  if (names.size > 0) {
    const file = await open(jar, 'r')
    try {
      for (const entry of await readEntries(file)) {
        const name = classNameOf(entry)
        if (!names.has(name)) continue
        const bytes = await contentOf(file, entry, CLASS_BYTES_MAX)
        const method = overridingMethod(entry.name, bytes)
        if (method !== undefined) overrides.set(name, `${name.replace(/^.*[.$]/, '')}.${method}`)
        if (bytes.includes(BACKTYPE)) backtype.add(name)
      }
    } finally {
      await file.close()
    }
  }
  return {
    overrideOf: classNames =>
      classNames.map(name => overrides.get(name)).find(method => method !== undefined),
    isBacktype: className => backtype.has(className),
  }
}

function classNameOf({ name }: ZipEntry): string {
  return name.endsWith('.class') ? name.slice(0, -'.class'.length).replaceAll('/', '.') : ''
}

// Classes by name, and those of components that start a process. What cannot be read is told when the topology is.
function namedClasses(message: TopologyMessage, readJava: ReadJavaComponent): ReadonlySet<string> {
  const names = new Set<string>()
  const objects = [
    ...[...message.spouts.values()].map(({ spout_object }) => spout_object),
    ...[...message.bolts.values()].map(({ bolt_object }) => bolt_object),
  ]
  for (const object of objects) {
    if (object.kind === 'java_object') names.add(object.value.full_class_name)
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
    const text = `the topology names ${names.size} classes of its jar; ${CLASSES_MAX} are taken`
    throw new EngineError('TOPOLOGY_INVALID', text, { hint: 'let components share their classes' })
  }
  return names
}
