// The configuration of the older spout (storm-kafka, until Storm 1.x) as options of the spout of today. Its brokers
// come from a setting of the topology, its id becomes the group. Offsets that it left in ZooKeeper are not read.
import { RETRIES_UNLIMITED, STORM_RETRY } from './retry-queue.ts'
import type { KafkaSpoutOptions } from './spout-options.ts'
import type { SchemeName } from './translators.ts'

/** SpoutConfig, by the names that it has in Java. */
export interface OldSpoutConfig {
  readonly topic: string
  readonly id: string
  readonly scheme?: SchemeName
  /** true: the place of the start holds for a new topology, whatever was read before. */
  readonly ignoreZkOffsets?: boolean
  /** -2 the earliest record, -1 the end, else ms since 1970. */
  readonly startOffsetTime?: number
  readonly outputStreamId?: string
  readonly fetchSizeBytes?: number
  readonly fetchMaxWait?: number
  readonly minFetchByte?: number
  readonly socketTimeoutMs?: number
  readonly stateUpdateIntervalMs?: number
  readonly retryInitialDelayMs?: number
  readonly retryDelayMaxMs?: number
  /** Negative: no limit. */
  readonly retryLimit?: number
}

const LATEST_TIME = -1
const EARLIEST_TIME = -2

export function oldSpoutOptions(config: OldSpoutConfig): KafkaSpoutOptions {
  const start = config.startOffsetTime ?? EARLIEST_TIME
  const place =
    start === EARLIEST_TIME ? 'EARLIEST' : start === LATEST_TIME ? 'LATEST' : 'TIMESTAMP'
  const limit = config.retryLimit ?? -1
  return {
    serversFromConf: true,
    topics: [config.topic],
    groupId: config.id,
    firstPollOffsetStrategy: config.ignoreZkOffsets === true ? place : `UNCOMMITTED_${place}`,
    startTimestampMs: Math.max(0, start),
    offsetCommitPeriodMs: config.stateUpdateIntervalMs ?? 2000,
    retry: {
      initialDelayMs: config.retryInitialDelayMs ?? STORM_RETRY.initialDelayMs,
      maxDelayMs: config.retryDelayMaxMs ?? 60_000,
      maxRetries: limit < 0 ? RETRIES_UNLIMITED : limit,
    },
    keyDeserializer: 'ByteArray',
    valueDeserializer: 'ByteArray',
    translator: { scheme: config.scheme ?? 'bytes', stream: config.outputStreamId ?? 'default' },
    properties: {
      'max.partition.fetch.bytes': config.fetchSizeBytes ?? 1024 * 1024,
      ...(config.fetchMaxWait === undefined ? {} : { 'fetch.max.wait.ms': config.fetchMaxWait }),
      ...(config.minFetchByte === undefined ? {} : { 'fetch.min.bytes': config.minFetchByte }),
    },
  }
}
