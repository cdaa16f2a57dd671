// All of Storm's Kafka classes that Flux files may name, and the value classes of Java that they take.

import { javaPattern } from '../kafka/java-pattern.ts'
import { checkCount, textOf, UseError } from './arguments.ts'
import { addProperties } from './kafka-arguments.ts'
import { kafkaBoltClasses } from './kafka-bolt-classes.ts'
import { kafkaSpoutClasses } from './kafka-spout-classes.ts'
import { type FluxClass, known } from './known-class.ts'
import { oldKafkaClasses } from './old-kafka-classes.ts'

const properties = known('Properties', () => new Map<string, unknown>(), {
  put: (map: Map<string, unknown>, [key, value]) => map.set(textOf(key!, 'a key'), value?.value),
  setProperty: (map: Map<string, unknown>, [key, value]) =>
    map.set(textOf(key!, 'a key'), value?.value),
  putAll: (map: Map<string, unknown>, [other]) => addProperties(map, other!),
})

const pattern: FluxClass = {
  ...known('Pattern', (_, place) => {
    throw new UseError(place, 'Pattern is made by its factory', 'factory: "compile"')
  }),
  factory: (name, args, place) => {
    if (name !== 'compile') throw new UseError(place, `Pattern has no factory "${name}" here`)
    checkCount(args, { place, name, form: '[pattern, flags]', min: 1, max: 2 })
    return javaPattern(textOf(args[0]!, 'the pattern'), Number(args[1]?.value ?? 0))
  },
}

export const kafkaClasses: readonly [string, FluxClass][] = [
  ['java.util.Properties', properties],
  ['java.util.regex.Pattern', pattern],
  ...kafkaSpoutClasses,
  ...kafkaBoltClasses,
  ...oldKafkaClasses,
]
