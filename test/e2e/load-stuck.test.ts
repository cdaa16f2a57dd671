// One input that does not end. Small form of `npm run soak -- hold park`, by counts alone: while it is kept, more others are
// acked than could be under way at once.
import test from 'ava'
import { stuck } from '../soak/cases/stuck.ts'

const SIZE = { ratePerSec: 0, stuckMs: 0, others: 40_000 }

for (const door of ['native', 'storm'] as const) {
  for (const executors of [1, 2]) {
    const where = `${door}, ${executors} executor(s)`

    test.serial(`a bolt holds one input: all others are acked meanwhile (${where})`, async t => {
      const { failures } = await stuck({ ...SIZE, door, executors, how: 'hold', index: 0 })
      t.deepEqual(failures, [])
    })

    // Of two executors the first task lies in the one without the source, the second beside it.
    for (const index of executors === 1 ? [0] : [0, 1]) {
      test.serial(`task ${index} of four is parked: only its share waits (${where})`, async t => {
        const { failures } = await stuck({ ...SIZE, door, executors, how: 'park', index })
        t.deepEqual(failures, [])
      })
    }
  }
}
