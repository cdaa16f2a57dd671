// Which task reads which partition: a function of names and numbers only. Every task computes it alone and gets the same answer at
// any time, whatever topics have grown or appeared meanwhile, so a partition never has two readers or none, and never moves
// while the number of tasks stays. Pure.
import type { TopicChoice, TopicInfo, TopicPartition } from './client.ts'
import { crc32c } from './wire/crc32c.ts'

/**
 * Of named topics, partitions are laid side by side (0 of each, 1 of each, …) and dealt in turn; of a pattern, each topic begins
 * at a task given by its name.
 */
export function taskOf(choice: TopicChoice, at: TopicPartition, tasks: number): number {
  const { topic, partition } = at
  if (choice instanceof RegExp) return (crc32c(Buffer.from(topic)) + partition) % tasks
  const sorted = [...choice].sort()
  return (partition * sorted.length + sorted.indexOf(topic)) % tasks
}

/** A partition, and which topic its name means now. */
export interface DealtPartition extends TopicPartition {
  readonly topicId: string | undefined
}

/** The partitions of one task, in order. */
export function dealtTo(
  choice: TopicChoice,
  topics: readonly TopicInfo[],
  { index, parallelism }: { index: number; parallelism: number },
): DealtPartition[] {
  return [...topics]
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
    .flatMap(({ topic, id, partitions }) =>
      partitions.map(({ partition }) => ({ topic, partition, topicId: id })),
    )
    .filter(one => taskOf(choice, one, parallelism) === index)
}

/** Whether a name means another topic than before, as far as brokers tell. */
export function isOtherTopic(before: string | undefined, now: string | undefined): boolean {
  return before !== undefined && now !== undefined && before !== now
}
