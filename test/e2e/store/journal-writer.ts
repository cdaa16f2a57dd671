// Writes numbers into a journal store as fast as it can, several at once, and says each one that was acknowledged.
//
//     journal-writer.ts DIRECTORY
import { writeSync } from 'node:fs'
import { realEnvironment } from '../../../src/base/environment.ts'
import { noLog } from '../../../src/base/log.ts'
import { JournalStore } from '../../../src/cluster/store/journal-store.ts'
import type { Fence } from '../../../src/cluster/store/store.ts'

const AT_ONCE = 5
const store = await JournalStore.open({
  directory: process.argv[2]!,
  environment: realEnvironment,
  log: noLog,
  // Snapshots come often, so that kills fall into them too.
  compactBytes: 20_000,
})

async function write(fence: Fence): Promise<void> {
  let next = Number((await store.get('last'))?.value ?? 0) + 1
  for (;;) {
    const batch = Array.from({ length: AT_ONCE }, () => {
      const n = next++
      const changes = [
        { put: 'last', value: `${n}` },
        { put: `n/${n % 50}`, value: `${n}` },
      ]
      return store.commit(fence, changes).then(() => writeSync(1, `${n}\n`))
    })
    await Promise.all(batch)
  }
}

store.stand({
  name: 'm1',
  address: 'm1:1',
  ttlMs: 3000,
  onLead: fence => void write(fence),
  onLost: () => undefined,
  onLeader: () => undefined,
  onRefused: () => undefined,
})
