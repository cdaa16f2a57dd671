// Wrong bytes at the Thrift port. Small form of `npm run soak -- thrift-fuzz`, which sends a million.
import test from 'ava'
import { thriftFuzz } from '../soak/cases/thrift-fuzz.ts'

const TIMEOUT_MS = 600_000

test('a Nimbus that gets a hundred thousand mutated frames goes on answering, and its memory stays flat', async t => {
  // Half a minute where nothing else runs.
  t.timeout(TIMEOUT_MS)
  const { failures } = await thriftFuzz({ frames: 100_000, seed: 20_261_122, growthMbMax: 100 })
  t.deepEqual(failures, [])
})
