// Storm's KafkaBolt as Flux files set it up: mapper, selector, producer properties. They become plain options of our
// own bolt. The bolt of the older storm-kafka is the same under another name.
import type { KafkaBoltOptions, SelectorData } from '../kafka/bolt-options.ts'
import { KafkaBolt } from '../kafka/kafka-bolt.ts'
import { type Argument, checkCount, textOf, UseError } from './arguments.ts'
import { flagOf, isObjectWith, numberOf, propertiesOf } from './kafka-arguments.ts'
import { type FluxClass, known } from './known-class.ts'

type Mapper = NonNullable<KafkaBoltOptions['mapper']>
type Selector = NonNullable<KafkaBoltOptions['topicSelector']>
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Collects what a bolt is set up with, until it is made. */
class BoltBean {
  readonly options: Mutable<KafkaBoltOptions> = {}
}

function boltClass(): FluxClass {
  const made = known(
    'KafkaBolt',
    (args, place) => {
      checkCount(args, {
        place,
        name: 'KafkaBolt',
        form: 'without constructorArgs',
        min: 0,
        max: 0,
      })
      return new BoltBean()
    },
    {
      withTupleToKafkaMapper: ({ options }: BoltBean, [mapper]) => {
        options.mapper = mapperOf(mapper!)
      },
      withTopicSelector: ({ options }: BoltBean, [selector]) => {
        options.topicSelector = selectorOf(selector!)
      },
      withProducerProperties: ({ options }: BoltBean, [properties]) => {
        options.properties = propertiesOf(properties!)
      },
      withProducerCallback: (_: BoltBean, [callback]) => {
        throw new UseError(
          callback!.place,
          'a producer callback is Java and is not called here',
          'leave it out: a tuple is acked when its record is written, and failed when it is not',
        )
      },
      setFireAndForget: ({ options }: BoltBean, [flag]) => {
        options.fireAndForget = flagOf(flag!, 'fireAndForget')
      },
      setAsync: ({ options }: BoltBean, [flag]) => {
        options.async = flagOf(flag!, 'async')
      },
    },
  )
  return { ...made, finish: bean => new KafkaBolt((bean as BoltBean).options) }
}

function mapperOf({ value, place }: Argument): Mapper {
  if (isObjectWith<Mapper>(value, 'keyField')) return value
  if (isObjectWith<Mapper>(value, 'getKeyFromTuple')) return value
  const hint = 'a mapper has getKeyFromTuple(tuple) and getMessageFromTuple(tuple)'
  throw new UseError(place, 'this is no TupleToKafkaMapper', hint)
}

function selectorOf({ value, place }: Argument): Selector {
  if (typeof value === 'string') return { topic: value }
  for (const key of ['topic', 'otherwise', 'getTopic']) {
    if (isObjectWith<SelectorData>(value, key)) return value
  }
  throw new UseError(place, 'this is no KafkaTopicSelector', 'a selector has getTopic(tuple)')
}

function classesIn(prefix: string): [string, FluxClass][] {
  return [
    [`${prefix}KafkaBolt`, boltClass()],
    [
      `${prefix}mapper.FieldNameBasedTupleToKafkaMapper`,
      known('FieldNameBasedTupleToKafkaMapper', ([key, message]) => ({
        keyField: key === undefined ? 'key' : textOf(key, 'the field of the key'),
        messageField:
          message === undefined ? 'message' : textOf(message, 'the field of the message'),
      })),
    ],
    [
      `${prefix}selector.DefaultTopicSelector`,
      known('DefaultTopicSelector', (args, place) => {
        checkCount(args, { place, name: 'DefaultTopicSelector', form: '[topic]', min: 1, max: 1 })
        return { topic: textOf(args[0]!, 'the topic') }
      }),
    ],
    [
      `${prefix}selector.FieldNameTopicSelector`,
      known('FieldNameTopicSelector', (args, place) => {
        const form = '[field, topic otherwise]'
        checkCount(args, { place, name: 'FieldNameTopicSelector', form, min: 2, max: 2 })
        return { field: textOf(args[0]!, 'the field'), otherwise: textOf(args[1]!, 'the topic') }
      }),
    ],
    [
      `${prefix}selector.FieldIndexTopicSelector`,
      known('FieldIndexTopicSelector', (args, place) => {
        const form = '[index of the field, topic otherwise]'
        checkCount(args, { place, name: 'FieldIndexTopicSelector', form, min: 2, max: 2 })
        const fieldIndex = numberOf(args[0]!, 'the index of the field')
        return { fieldIndex, otherwise: textOf(args[1]!, 'the topic') }
      }),
    ],
  ]
}

export const kafkaBoltClasses: readonly [string, FluxClass][] = [
  ...classesIn('org.apache.storm.kafka.bolt.'),
  ...classesIn('storm.kafka.bolt.'),
]
