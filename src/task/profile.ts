// One value per application that trades throughput, latency and guarantee.

export interface Profile {
  /** at-most-once: nothing is tracked, ids are done at once. at-least-once: roots with an id are tracked. */
  readonly guarantee: 'at-most-once' | 'at-least-once'
  /** Messages that may wait in a task's inbox before its emitters in the same executor wait. */
  readonly inboxDepth: number
  /** Messages that may be on their way between two tasks of different executors before the emitter waits. */
  readonly creditWindow: number
  /** Messages that may wait on an edge that closes a cycle (it never blocks) before the sources are paused. */
  readonly cycleDepth: number
  /** Messages collected for one frame at most; a frame never waits for more when there is nothing to do. */
  readonly frameMessages: number
  /** A root that has not ended after one to two of these fails; 0 = never. */
  readonly timeoutMs: number
  /** Open roots of one source task at which it is asked for no more; 0 = no bound. */
  readonly maxOpenRoots: number
}

/** Between the two below; what an application gets when it says nothing. */
export const balanced: Profile = {
  guarantee: 'at-least-once',
  inboxDepth: 1024,
  creditWindow: 2048,
  cycleDepth: 65_536,
  frameMessages: 512,
  timeoutMs: 30_000,
  maxOpenRoots: 65_536,
}

/** Large frames and windows. */
export const throughput: Profile = {
  ...balanced,
  inboxDepth: 4096,
  creditWindow: 8192,
  frameMessages: 1024,
}

/** Short queues: a message waits behind few others. */
export const lowLatency: Profile = {
  ...balanced,
  inboxDepth: 128,
  creditWindow: 256,
  frameMessages: 64,
}

export const PROFILES = { balanced, throughput, latency: lowLatency } as const
export type ProfileName = keyof typeof PROFILES
