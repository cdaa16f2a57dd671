// The chaos run in small: 20 s here, two minutes in continuous integration, ten by `npm run chaos`. The seed is another one
// each time; what it did is printed, and GEARPUMP_CHAOS_SEED runs it again.
import test from 'ava'
import { networkMissing } from '../../chaos/network.ts'
import { runChaos } from '../../chaos/run-chaos.ts'
import { realTest } from '../../real/parts.ts'

const required = process.env.GEARPUMP_REQUIRE_REAL === '1'
const FOR_MS = required ? 120_000 : 20_000
/** Beside the faults: the start, the calm after them, the end. */
const TIMEOUT_MS = FOR_MS + 300_000
const LINES_PER_SECOND = 200

realTest(
  test.serial,
  ['etcd'],
  'processes of a cluster are killed, stopped and cut off by a seed: no line is missing, nothing is left behind',
  async (t, [etcd]) => {
    t.timeout(TIMEOUT_MS)
    const missing = networkMissing()
    if (missing !== undefined) t.log(`without partitions: ${missing}`)
    const given = process.env.GEARPUMP_CHAOS_SEED
    const result = await runChaos({
      seed: given === undefined ? Math.floor(Math.random() * 1e9) : Number(given),
      forMs: FOR_MS,
      etcd: etcd.program!,
      network: missing === undefined,
      linesPerSecond: LINES_PER_SECOND,
      say: line => t.log(line),
    })
    const { failures, ...figures } = result
    t.log(figures)
    t.deepEqual(failures, [])
    t.true(result.faults > 0)
  },
)
