// Every message to each of very many tasks, over two executors. Small form of `npm run soak -- broadcast`.
import test from 'ava'
import { overload } from '../soak/cases/overload.ts'

for (const door of ['native', 'storm'] as const) {
  test.serial(
    `two thousand tasks that each get every message keep up, and none is left out (${door})`,
    async t => {
      const { failures } = await overload({
        door,
        acked: true,
        tasks: 2000,
        watchMs: 0,
        messages: 100,
      })
      t.deepEqual(failures, [])
    },
  )
}
