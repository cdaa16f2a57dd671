// The configuration inside of Storm's own Kafka components (storm-kafka-client, and the older storm-kafka), read out of
// the Java stream as one plain value. Fields keep the names that they have in Java. A user's own classes in it
// (translators, mappers, listeners) are named, no more: what they do is Java.
import {
  classNames,
  fieldOf,
  isObject,
  type JavaClass,
  type JavaObject,
  type JavaValue,
} from './java-nodes.ts'
import { type PlainValue, plainValue, stormFieldsOf } from './java-values.ts'

export interface KafkaComponent {
  /** `zookeeper-spout` keeps its offsets in ZooKeeper: storm-kafka, until Storm 1.x. */
  readonly kind: 'spout' | 'zookeeper-spout' | 'bolt'
  readonly className: string
  /** Of a spout its configuration object, of a bolt the bolt itself. */
  readonly config: KafkaConfig
}

export type KafkaConfig = Readonly<Record<string, KafkaConfigValue>>

/** An object carries its class under `class`; one that was not looked into carries nothing else. */
export type KafkaConfigValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly KafkaConfigValue[]
  | { readonly [name: string]: KafkaConfigValue }

/** Configurations nest a dozen deep; a cycle made by a user's class ends here. */
const DEPTH_MAX = 40

const SPOUT = 'org.apache.storm.kafka.spout.KafkaSpout'
const OLD_SPOUTS = ['storm.kafka.KafkaSpout', 'org.apache.storm.kafka.KafkaSpout']
const BOLTS = ['storm.kafka.bolt.KafkaBolt', 'org.apache.storm.kafka.bolt.KafkaBolt']

/** Objects that are configuration and nothing else, beside collections. */
const LOOKED_INTO =
  /^(?:org\.apache\.storm\.kafka|storm\.kafka)\.|^(?:org\.apache|backtype)\.storm\.spout\.SchemeAsMultiScheme$|^java\.util\.regex\.Pattern$/

/** undefined if the class is none of Storm's; a user's subclass is none either. */
export function readKafka(className: string, object: () => JavaObject): KafkaComponent | undefined {
  if (className === SPOUT) {
    const config = fieldsOf(fieldOf(object(), 'kafkaSpoutConfig'))
    return { kind: 'spout', className, config }
  }
  if (OLD_SPOUTS.includes(className)) {
    const config = fieldsOf(fieldOf(object(), '_spoutConfig'))
    return { kind: 'zookeeper-spout', className, config }
  }
  if (BOLTS.includes(className)) {
    return { kind: 'bolt', className, config: fieldsOf(object()) }
  }
  return undefined
}

function fieldsOf(value: JavaValue | undefined): KafkaConfig {
  return isObject(value) ? entriesOf(value, 0) : {}
}

function entriesOf(object: JavaObject, depth: number): KafkaConfig {
  const entries: [string, KafkaConfigValue][] = []
  for (const { fields } of object.parts) {
    for (const [name, value] of fields) entries.push([name, configValue(value, depth + 1)])
  }
  return Object.fromEntries(entries)
}

function configValue(value: JavaValue, depth: number): KafkaConfigValue {
  return configOfPlain(plainValue(value), depth)
}

function configOfPlain(value: PlainValue, depth: number): KafkaConfigValue {
  if (depth > DEPTH_MAX) return null
  if (typeof value === 'bigint') return plainNumber(value)
  if (typeof value !== 'object' || value === null) return value
  if (Buffer.isBuffer(value)) return [...value]
  if (isList(value)) return value.map(item => configOfPlain(item, depth + 1))
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<PlainValue, PlainValue>)]
    return Object.fromEntries(
      entries.map(([key, item]) => [String(key), configOfPlain(item, depth + 1)]),
    )
  }
  return objectValue(value as JavaObject, depth)
}

// What plainValue leaves as an object: no collection, and nothing boxed.
function objectValue(object: JavaObject, depth: number): KafkaConfigValue {
  const fields = stormFieldsOf(object)
  if (fields !== undefined) return fields
  if (object.className === 'java.lang.invoke.SerializedLambda') return lambda(object)
  if (!LOOKED_INTO.test(object.className)) return named(object.class)
  return { class: object.className, ...entriesOf(object, depth) }
}

function named(of: JavaClass): { class: string; superNames: readonly string[] } {
  const [className = '', ...superNames] = classNames(of)
  return { class: className, superNames }
}

// A lambda carries the method that it stands for.
function lambda(object: JavaObject): KafkaConfigValue {
  const text = (name: string) => String(fieldOf(object, name) ?? '').replaceAll('/', '.')
  return {
    class: 'java.lang.invoke.SerializedLambda',
    method: `${text('implClass')}::${text('implMethodName')}`,
  }
}

// Longs that are offsets or times fit a number; others stay as they are.
function plainNumber(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value)
}
