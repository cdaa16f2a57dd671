// A fast source before a slow task. Small form of `npm run soak -- slow`: what waits stays within its bounds while messages
// come through, and all of them arrive.
import test from 'ava'
import { slow } from '../soak/cases/slow.ts'

for (const door of ['native', 'storm', 'python'] as const) {
  for (const acked of [true, false]) {
    for (const executors of [1, 2]) {
      const what = `${door}, ${acked ? 'acked' : 'unacked'}, ${executors} executor(s)`
      test.serial(`a fast source waits for a slow task (${what})`, async t => {
        const { failures } = await slow({ door, acked, executors, watchMs: 0, messages: 2000 })
        t.deepEqual(failures, [])
      })
    }
  }
}
