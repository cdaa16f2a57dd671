// A master in a process of its own, for tests that kill and stop it: stands for leader, and while it leads writes its
// name, the fence and a number to one key, as often as it can. Each thing it is told is a line on its output.
//
//     candidate.ts NAME TTL_MS ENDPOINT...
import { realEnvironment } from '../../../src/base/environment.ts'
import type { EngineError } from '../../../src/base/errors.ts'
import { noLog } from '../../../src/base/log.ts'
import { openStore } from '../../../src/cluster/store/open-store.ts'
import type { Fence } from '../../../src/cluster/store/store.ts'

const [name, ttlMs, ...endpoints] = process.argv.slice(2) as [string, string, ...string[]]
const say = (line: object) => {
  process.stdout.write(`${JSON.stringify({ ...line, atMs: Date.now() })}\n`)
}

const store = await openStore(
  { kind: 'etcd', endpoints },
  { environment: realEnvironment, log: noLog },
)
let fence: Fence | undefined

async function write(mine: Fence): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      await store.commit(mine, [{ put: 'written', value: `${name} ${mine.revision} ${i}` }])
      if (i === 0) say({ wrote: mine.revision })
    } catch (error) {
      const { code, message, details } = error as EngineError
      say({ refused: code, message, outcome: details.outcome, fence: mine.revision })
      if (code !== 'STORE_UNAVAILABLE') return
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

store.stand({
  name,
  address: `${name}:1`,
  ttlMs: Number(ttlMs),
  onLead: given => {
    fence = given
    say({ lead: given.revision })
    void write(given)
  },
  onLost: reason => {
    say({ lost: reason, fence: fence?.revision })
    fence = undefined
  },
  onLeader: leader => say({ leader: leader?.name ?? null }),
  onRefused: error => say({ refused: error.code }),
})
