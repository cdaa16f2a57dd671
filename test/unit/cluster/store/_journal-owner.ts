// A process that has a journal store, for the test of its lock: commits once, says so, and stays.
import { realEnvironment } from '../../../../src/base/environment.ts'
import { noLog } from '../../../../src/base/log.ts'
import { JournalStore } from '../../../../src/cluster/store/journal-store.ts'

const directory = process.argv[2]!
const store = await JournalStore.open({ directory, environment: realEnvironment, log: noLog })
store.stand({
  name: 'child',
  address: 'here:1',
  ttlMs: 3000,
  onLead: fence => {
    void store.commit(fence, [{ put: 'from', value: 'child' }]).then(() => {
      process.stdout.write('committed\n')
    })
  },
  onLost: () => undefined,
  onLeader: () => undefined,
  onRefused: () => undefined,
})
setInterval(() => undefined, 1000)
