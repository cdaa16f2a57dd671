// Storm 2.8.3 as the peer: runs one of its cases by bench/storm/bench.sh, and has its cluster up only while cases that need it
// run, so that its daemons take nothing from ours. Java and Maven must be there; what is missing is said, not worked around.
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Row, Timing } from '../harness/measure.ts'

/** The first run builds the peer, which downloads Storm. */
const BUILD_MS = 1_200_000
const RUN_MS_MAX = 700_000
const CLUSTER_MS_MAX = 300_000

const run = promisify(execFile)
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const benchSh = path('../storm/bench.sh')
const clusterSh = path('../storm/cluster.sh')
const builtJar = `${process.env.PEER_BUILD ?? path('../../.cache/storm-peer')}/storm-peer.jar`

/** Why the peer cannot run here; undefined when it can. */
export function missingForStorm(): string | undefined {
  const lacks = (program: string, option: string) => spawnSync(program, [option]).status !== 0
  if (lacks('java', '-version')) return 'no Java: install a JDK 17'
  if (!existsSync(builtJar) && lacks('mvn', '-version')) return 'no Maven, which builds the peer'
  return undefined
}

export class Storm {
  readonly #timing: Timing
  #clusterUp = false

  constructor(timing: Timing) {
    this.#timing = timing
  }

  /** Like a case of ours: one row, or one that says what went wrong. */
  async run(name: string): Promise<Row> {
    const label = `peer:${name}`
    try {
      await this.#cluster(name.startsWith('c-'))
      const { secs, warm } = this.#timing
      const { stdout } = await run(benchSh, [name, `secs=${secs}`, `warm=${warm}`], {
        timeout: RUN_MS_MAX + BUILD_MS,
      })
      const line = stdout.split('\n').findLast(text => text.startsWith('{'))
      if (line === undefined) return { case: label, error: 'bench.sh printed no line' }
      return { ...(JSON.parse(line) as object), case: label }
    } catch (error) {
      return { case: label, error: String((error as Error).message).slice(0, 500) }
    }
  }

  /** Before a case of ours, and at the end. */
  async rest(): Promise<void> {
    await this.#cluster(false)
  }

  async #cluster(up: boolean): Promise<void> {
    if (this.#clusterUp === up) return
    this.#clusterUp = up
    await run(clusterSh, [up ? 'up' : 'down'], { timeout: CLUSTER_MS_MAX + BUILD_MS })
  }
}
