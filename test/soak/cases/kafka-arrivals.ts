// What has arrived of numbered records: read from where the last look ended, counted per number. Brokers may be down
// meanwhile; then it is tried again.
import type { KafkaClient, KafkaRecord } from 'gearpump/kafka'
import { pause } from '../flow.ts'

const RETRY_MS = 200
const ANSWER_BYTES = 1 << 22
/** Longest time that leaders may take to be there again. */
const AWAY_MS = 60_000

export interface ArrivalsOf {
  readonly client: KafkaClient
  readonly topic: string
  /** Of this topic, and of the one that the records come from. */
  readonly partitions: number
  /** Records of each partition that they come from: keys are `kP-I`, values `vP-I` turned around. */
  readonly each: number
}

export class Arrivals {
  /** Records that were there already. */
  again = 0
  /** Records whose value is not the one of their key. */
  wrong = 0
  readonly #of: ArrivalsOf
  readonly #seen: readonly Uint8Array[]
  readonly #positions: number[]

  constructor(of: ArrivalsOf) {
    this.#of = of
    this.#seen = Array.from({ length: of.partitions }, () => new Uint8Array(of.each))
    this.#positions = Array.from({ length: of.partitions }, () => 0)
  }

  /** How many lie there. */
  async total(): Promise<number> {
    return (await this.#ends()).reduce((sum, { offset }) => sum + offset, 0)
  }

  /** Counts everything up to the present ends. */
  async read(): Promise<void> {
    for (const { partition, offset } of await this.#ends()) {
      while (this.#positions[partition]! < offset) await this.#step(partition)
    }
  }

  /** How many of the first `below` records of a partition have not arrived. */
  missing(partition: number, below: number): number {
    let missing = 0
    const seen = this.#seen[partition]!
    for (let number = 0; number < below; number++) if (seen[number] === 0) missing++
    return missing
  }

  #ends() {
    const { client, topic, partitions } = this.#of
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    return patiently(() => client.offsets('latest', all))
  }

  async #step(partition: number): Promise<void> {
    const { client, topic } = this.#of
    await patiently(async () => {
      const [info] = await client.topics([topic])
      const offset = this.#positions[partition]!
      const position = { topic, partition, offset, bytesMax: ANSWER_BYTES }
      const limits = {
        bytesMin: 1,
        bytesMax: ANSWER_BYTES,
        waitMs: 200,
        isolation: 'committed',
      } as const
      const [found] = await client.fetch(info!.partitions[partition]!.leader, [position], limits)
      if (found!.problem !== undefined) throw found!.problem.error
      for (const record of found!.records) this.#count(record)
      this.#positions[partition] = found!.nextOffset
    })
  }

  #count({ key, value }: KafkaRecord): void {
    const [partition, number] = key!.toString().slice(1).split('-').map(Number)
    const seen = this.#seen[partition!]!
    if (seen[number!]! > 0) this.again++
    seen[number!] = 1
    const turned = [...`v${partition}-${number}`].reverse().join('')
    if (value!.toString() !== turned) this.wrong++
  }
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + AWAY_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (performance.now() > endMs) throw error
      await pause(RETRY_MS)
    }
  }
}
