// What a subclass of ShellBolt or ShellSpout does in Java beside its child process. The topology has only the names of its classes;
// their files in the jar tell which methods they declare. One that overrides what Storm calls while the topology runs is not
// its command alone: it needs Java. What every such class declares (output fields, settings) was called before submitting.
import { classMethods } from './class-file.ts'

/**
 * Of the classes of a component below Storm's own, itself first: the first method that changes what it does, as
 * `SplitSentence.execute`. undefined if there is none, or none is known.
 */
export type OverrideOf = (classNames: readonly string[]) => string | undefined

/** With Storm's package left out, which changed. Its own setters have no callers but the program that submits. */
const CALLED_BY_STORM = new Set([
  'prepare(Ljava/util/Map;Ltask/TopologyContext;Ltask/OutputCollector;)V',
  'execute(Ltuple/Tuple;)V',
  'cleanup()V',
  'open(Ljava/util/Map;Ltask/TopologyContext;Lspout/SpoutOutputCollector;)V',
  'close()V',
  'activate()V',
  'deactivate()V',
  'nextTuple()V',
  'ack(Ljava/lang/Object;)V',
  'fail(Ljava/lang/Object;)V',
  'setCredentials(Ljava/util/Map;)V',
])
/** Java itself calls these while it reads the object, private ones as well. */
const CALLED_BY_JAVA = new Set([
  'readObject(Ljava/io/ObjectInputStream;)V',
  'readExternal(Ljava/io/ObjectInput;)V',
  'readResolve()Ljava/lang/Object;',
])
const PACKAGE = /L(?:org\/apache|backtype)\/storm\//g

/** The first method of a class, as its file has it, that is called while a topology runs. Throws JAR_INVALID. */
export function overridingMethod(fileName: string, bytes: Uint8Array): string | undefined {
  const found = classMethods(fileName, bytes).find(({ name, descriptor, isStatic, isPrivate }) => {
    if (isStatic) return false
    if (CALLED_BY_JAVA.has(name + descriptor)) return true
    return !isPrivate && CALLED_BY_STORM.has(name + descriptor.replace(PACKAGE, 'L'))
  })
  return found?.name
}
