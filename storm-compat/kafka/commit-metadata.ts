// The text that Storm's KafkaSpout keeps beside each committed offset: which topology, task and thread wrote it. Read
// and written here as there, so that a group may go from one to the other and back, and so that a topology that is
// started again knows its own commits.

export interface CommitMetadata {
  /** Storm's id of the topology: `name-N-epochSeconds`. Another one with every submission. */
  readonly topologyId: string
  readonly taskId: number
  readonly threadName: string
  /** Which topic the offset is of: its name may mean another one later. */
  readonly topicId?: string | undefined
}

const KEYS = ['taskId', 'threadName', 'topologyId']

/** Storm takes no further key and does nothing with the name of the thread: the id of the topic goes there. */
const TOPIC = /^(.*) of topic ([\w -]+)$/

export function writeMetadata(metadata: CommitMetadata): string {
  const { topologyId, taskId, threadName, topicId } = metadata
  const thread = topicId === undefined ? threadName : `${threadName} of topic ${topicId}`
  return JSON.stringify({ topologyId, taskId, threadName: thread })
}

/** undefined for what no KafkaSpout wrote: Storm takes exactly these three keys. */
export function readMetadata(text: string): CommitMetadata | undefined {
  const value = parsed(text) as Partial<CommitMetadata> | null | undefined
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.keys(value).some(key => !KEYS.includes(key))) return undefined
  const { topologyId, taskId = 0, threadName = '' } = value
  if (typeof topologyId !== 'string' || !Number.isSafeInteger(taskId)) return undefined
  const [, thread = threadName, topicId] = TOPIC.exec(String(threadName)) ?? []
  return { topologyId, taskId, threadName: thread, ...(topicId === undefined ? {} : { topicId }) }
}

// Other tools write any text, or none.
function parsed(text: string): unknown {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
