// How far a group is behind on its topics, asked of Kafka itself: what it has committed beside where the partitions end, in the
// form of Storm's lag view. Each question opens connections of its own and ends them; who asks the same meanwhile gets the
// same answer.
import { type KafkaConnection, openKafka } from 'gearpump/kafka'
import { EngineError } from 'gearpump/spi'

/** A page waits no longer for a broker. */
const CONNECT_TIMEOUT_MS = 3000
const REQUEST_TIMEOUT_MS = 5000
/** Questions under way at a time, of all that is asked of this UI. */
const ASKING_MAX = 8

export interface LagQuestion {
  readonly connection: KafkaConnection
  readonly groupId: string
  readonly topics: readonly string[]
}

/** As Storm's; -1 = the group has committed nothing. */
export interface PartitionLag {
  readonly consumerCommittedOffset: number
  readonly logHeadOffset: number
  readonly lag: number
}

/** By topic and number of the partition. */
export type SpoutLag = Readonly<Record<string, Readonly<Record<string, PartitionLag>>>>

export type AskLag = (question: LagQuestion) => Promise<SpoutLag>

export function lagAsker(open: typeof openKafka = openKafka): AskLag {
  const asking = new Map<string, Promise<SpoutLag>>()
  return question => {
    const key = JSON.stringify(question)
    const running = asking.get(key)
    if (running !== undefined) return running
    if (asking.size >= ASKING_MAX) return Promise.reject(tooMany())
    const started = askKafka(open, question).finally(() => asking.delete(key))
    asking.set(key, started)
    return started
  }
}

async function askKafka(open: typeof openKafka, question: LagQuestion): Promise<SpoutLag> {
  const { groupId, topics } = question
  const client = await open({
    ...question.connection,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  })
  try {
    const found = await client.topics(topics)
    const all = found.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition }) => ({ topic, partition })),
    )
    if (all.length === 0) return {}
    const committed = await client.committed(groupId, all)
    const ends = await client.offsets('latest', all)
    const result: Record<string, Record<string, PartitionLag>> = {}
    for (const { topic, partition, offset } of ends) {
      const commit = committed.find(at => at.topic === topic && at.partition === partition)
      const consumerCommittedOffset = commit?.offset ?? -1
      const of = result[topic] ?? {}
      const lag = offset - consumerCommittedOffset
      of[partition] = { consumerCommittedOffset, logHeadOffset: offset, lag }
      result[topic] = of
    }
    return result
  } finally {
    await client.close()
  }
}

function tooMany(): EngineError {
  return new EngineError('KAFKA_FAILED', `${ASKING_MAX} questions for a lag are under way`, {
    hint: 'ask again in a moment',
  })
}
