// The text that Storm's KafkaSpout keeps beside each committed offset: which topology, task and thread wrote it. Read
// and written here as there, so that a group may go from one to the other and back, and so that a topology that is
// started again knows its own commits.

export interface CommitMetadata {
  /** Storm's id of the topology: `name-N-epochSeconds`. Another one with every submission. */
  readonly topologyId: string
  readonly taskId: number
  readonly threadName: string
}

const KEYS = ['taskId', 'threadName', 'topologyId']

export function writeMetadata({ topologyId, taskId, threadName }: CommitMetadata): string {
  return JSON.stringify({ topologyId, taskId, threadName })
}

/** undefined for what no KafkaSpout wrote: Storm takes exactly these three keys. */
export function readMetadata(text: string): CommitMetadata | undefined {
  const value = parsed(text) as Partial<CommitMetadata> | null | undefined
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.keys(value).some(key => !KEYS.includes(key))) return undefined
  const { topologyId, taskId = 0, threadName = '' } = value
  if (typeof topologyId !== 'string' || !Number.isSafeInteger(taskId)) return undefined
  return { topologyId, taskId, threadName }
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
