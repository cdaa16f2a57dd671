// What is done of a range, above the first thing that is not.
import test from 'ava'
import { DoneRanges } from '../../../../connectors/base/done-ranges.ts'

test('of too many runs those are kept that save the most', t => {
  const ranges = new DoneRanges(0, [
    [10, 11],
    [20, 29],
    [40, 43],
  ])
  t.deepEqual(ranges.runs(2), [
    [20, 29],
    [40, 43],
  ])
})
