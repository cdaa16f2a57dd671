// Chains and cycles over executors under full load. Small form of `npm run soak -- chain cycle`: so many messages come out,
// and when the source stops all that went in does.
import test from 'ava'
import { chain, cycle } from '../soak/cases/deadlock.ts'

for (const slow of ['b1', 'a2', 'b2'] as const) {
  test.serial(`a chain over two executors does not stand still when ${slow} is slow`, async t => {
    const { failures } = await chain({ slow, acked: true, watchMs: 0, messages: 10_000 })
    t.deepEqual(failures, [])
  })
}

for (const door of ['native', 'storm', 'python'] as const) {
  for (const acked of [true, false]) {
    const what = `${door}, ${acked ? 'acked' : 'unacked'}`
    test.serial(
      `a cycle over two executors under full load does not stand still (${what})`,
      async t => {
        const messages = door === 'python' ? 1000 : 5000
        const slowTask = door === 'native'
        const { failures } = await cycle({
          door,
          acked,
          executors: 2,
          slowTask,
          watchMs: 0,
          messages,
        })
        t.deepEqual(failures, [])
      },
    )
  }
}
