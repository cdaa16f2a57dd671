// A master that leads, in memory and on manual time.
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import type { Log, LogLine } from '../../../src/base/log.ts'
import type { BlobShelf } from '../../../src/cluster/blob-shelf.ts'
import { Master } from '../../../src/cluster/master.ts'
import { GEAR, type GearDoor, type Submission } from '../../../src/cluster/messages.ts'
import { MemoryCluster } from '../../../src/cluster/store/memory-store.ts'
import { builtIn } from '../../../src/cluster/strategies.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'

export const WORDS: Submission = {
  name: 'words',
  requestId: 'first',
  bundle: undefined,
  code: {},
  placement: { executors: 1, each: { cpu: 1, memoryMb: 1 } },
  active: true,
}

export async function leading(shelf: Partial<BlobShelf> = {}, leaseMs = 3000) {
  const environment = new ManualEnvironment()
  const lines: LogLine[] = []
  const log: Log = { write: line => void lines.push(line) }
  const system = new ActorSystem({ environment, log, name: 'm1' })
  const memory = new MemoryCluster({ environment })
  const store = memory.connect('m1')
  const master = new Master({
    ...{ environment, system, log, name: 'm1', store, leaseMs },
    address: system.node,
    masters: [system.node],
    shelf: shelf as BlobShelf,
    settings: { appMasterLostMs: 8000, restarts: 5, windowMs: 600_000 },
    strategies: builtIn,
    strategy: 'spread',
    secret: () => 'secret',
    version: 'test',
  })
  while (!master.leads) await environment.advance(100)
  const gear = system.ref<GearDoor>({ node: system.node, name: GEAR })
  return { environment, gear, lines, faults: memory.faults('m1') }
}
