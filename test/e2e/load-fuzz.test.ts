// Wrong bytes at the Thrift port. Small form of `npm run soak -- thrift-fuzz`, which sends a million.
import test from 'ava'
import { thriftFuzz } from '../soak/cases/thrift-fuzz.ts'

test('a Nimbus that gets a hundred thousand mutated frames goes on answering, and its memory stays flat', async t => {
  const { failures } = await thriftFuzz({ frames: 100_000, seed: 20_261_122, growthMbMax: 100 })
  t.deepEqual(failures, [])
})
