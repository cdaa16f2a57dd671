// What becomes of a record: the values of a tuple, and the stream that it goes to. Storm's own translators by their
// names, the schemes of the older spout, and the interface for translators written in TypeScript.
import type { KafkaHeader } from 'gearpump/kafka'
import type { Values } from '../component/api.ts'

/** A record with its key and value decoded. */
export interface ConsumerRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** ms since 1970. */
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: readonly KafkaHeader[]
}

/** Values for a stream of its own. */
export class KafkaTuple {
  readonly values: Values
  readonly stream: string

  constructor(values: Values, stream = 'default') {
    this.values = values
    this.stream = stream
  }

  /** Storm's way to say it. */
  routedTo(stream: string): KafkaTuple {
    return new KafkaTuple(this.values, stream)
  }
}

export interface RecordTranslator {
  /** null: the record counts as finished without a tuple. */
  apply(record: ConsumerRecord): Values | KafkaTuple | null | undefined
  getFieldsFor(stream: string): readonly string[]
  /** The `default` stream alone if there is no such method. */
  streams?(): readonly string[]
}

/** A function, or an object with `apply`. */
export type RecordFunction =
  | ((record: ConsumerRecord) => Values | null | undefined)
  | { apply(record: ConsumerRecord): Values | null | undefined }

/** topic, partition, offset, key, value. */
export class DefaultRecordTranslator implements RecordTranslator {
  apply({ topic, partition, offset, key, value }: ConsumerRecord): Values {
    return [topic, partition, offset, key, value]
  }

  getFieldsFor(): readonly string[] {
    return ['topic', 'partition', 'offset', 'key', 'value']
  }
}

/** A function, its fields, and one stream. */
export class SimpleRecordTranslator implements RecordTranslator {
  readonly #function: RecordFunction
  readonly #fields: readonly string[]
  readonly #stream: string

  constructor(fn: RecordFunction, fields: readonly string[], stream = 'default') {
    this.#function = fn
    this.#fields = fields
    this.#stream = stream
  }

  apply(record: ConsumerRecord): KafkaTuple | null {
    const fn = this.#function
    const values = typeof fn === 'function' ? fn(record) : fn.apply(record)
    return values === null || values === undefined ? null : new KafkaTuple(values, this.#stream)
  }

  getFieldsFor(): readonly string[] {
    return this.#fields
  }

  streams(): readonly string[] {
    return [this.#stream]
  }
}

/** Another translator for some topics. */
export class ByTopicRecordTranslator implements RecordTranslator {
  readonly #otherwise: RecordTranslator
  readonly #byTopic = new Map<string, RecordTranslator>()
  readonly #fields = new Map<string, readonly string[]>()

  constructor(otherwise: RecordTranslator) {
    this.#otherwise = otherwise
    this.#addFields(otherwise)
  }

  forTopic(topic: string, translator: RecordTranslator): this {
    if (this.#byTopic.has(topic)) throw new Error(`topic ${topic} has a translator already`)
    this.#addFields(translator)
    this.#byTopic.set(topic, translator)
    return this
  }

  #addFields(translator: RecordTranslator): void {
    for (const stream of streamsOf(translator)) {
      const fields = translator.getFieldsFor(stream)
      const earlier = this.#fields.get(stream)
      if (earlier !== undefined && earlier.join('\n') !== fields.join('\n')) {
        throw new Error(
          `stream ${stream} has the fields ${earlier.join(', ')} and cannot get ${fields.join(', ')}`,
        )
      }
      this.#fields.set(stream, fields)
    }
  }

  apply(record: ConsumerRecord): Values | KafkaTuple | null | undefined {
    return (this.#byTopic.get(record.topic) ?? this.#otherwise).apply(record)
  }

  getFieldsFor(stream: string): readonly string[] {
    return this.#fields.get(stream) ?? []
  }

  streams(): readonly string[] {
    return [...this.#fields.keys()]
  }
}

/** Schemes of the older spout (storm-kafka): `text` and `bytes` have one field. */
export type SchemeName = 'bytes' | 'text' | 'text-with-topic' | 'key-and-text'

const SCHEME_FIELDS: Readonly<Record<SchemeName, readonly string[]>> = {
  bytes: ['bytes'],
  text: ['str'],
  'text-with-topic': ['str', 'topic'],
  'key-and-text': ['str'],
}

/** Records without a value give no tuple. Both key and value are bytes. */
export class SchemeTranslator implements RecordTranslator {
  readonly #scheme: SchemeName
  readonly #stream: string

  constructor(scheme: SchemeName, stream = 'default') {
    this.#scheme = scheme
    this.#stream = stream
  }

  apply({ topic, key, value }: ConsumerRecord): KafkaTuple | null {
    if (!Buffer.isBuffer(value)) return null
    return new KafkaTuple(this.#values(topic, key, value), this.#stream)
  }

  #values(topic: string, key: unknown, value: Buffer): Values {
    const text = () => value.toString('utf8')
    switch (this.#scheme) {
      case 'bytes':
        return [value]
      case 'text':
        return [text()]
      case 'text-with-topic':
        return [text(), topic]
      case 'key-and-text':
        // Storm's StringKeyValueScheme makes a map of one entry.
        return [Buffer.isBuffer(key) ? { [key.toString('utf8')]: text() } : text()]
    }
  }

  getFieldsFor(): readonly string[] {
    return SCHEME_FIELDS[this.#scheme]
  }

  streams(): readonly string[] {
    return [this.#stream]
  }
}

export function streamsOf(translator: RecordTranslator): readonly string[] {
  return translator.streams?.() ?? ['default']
}

export function isTranslator(value: unknown): value is RecordTranslator {
  if (typeof value !== 'object' || value === null) return false
  const { apply, getFieldsFor } = value as Partial<RecordTranslator>
  return typeof apply === 'function' && typeof getFieldsFor === 'function'
}

export function isRecordFunction(value: unknown): value is RecordFunction {
  if (typeof value === 'function') return true
  return (
    typeof value === 'object' &&
    value !== null &&
    'apply' in value &&
    typeof value.apply === 'function'
  )
}
