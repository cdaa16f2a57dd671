// Which partitions a task reads: all partitions of all topics in order, dealt out one by one
// (RoundRobinManualPartitioner). Nobody joins the group, so no broker rebalances anything; every task computes the
// same answer. Pure.
import type { TopicInfo, TopicPartition } from 'gearpump/kafka'

export interface LedPartition extends TopicPartition {
  /** Node id of the leader; -1 while there is none. */
  readonly leader: number
  /** Which topic the name means now; undefined from brokers that do not tell. */
  readonly topicId: string | undefined
}

export function partitionsOf(
  topics: readonly TopicInfo[],
  task: { readonly index: number; readonly count: number },
): LedPartition[] {
  const all = topics.flatMap(({ topic, id, partitions }) =>
    partitions.map(({ partition, leader }) => ({ topic, partition, leader, topicId: id })),
  )
  all.sort((a, b) => {
    if (a.topic === b.topic) return a.partition - b.partition
    // By code units, as Java compares strings.
    return a.topic < b.topic ? -1 : 1
  })
  return all.filter((_, place) => place % task.count === task.index)
}
