// Which topics a pattern means: whole names, and none of Kafka's own.

/** Names of Kafka's own topics begin so (`__consumer_offsets`). */
const INTERNAL = '__'

export function topicFilter(pattern: RegExp): (topic: string) => boolean {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''))
  return topic => !topic.startsWith(INTERNAL) && whole.test(topic)
}
