// Where a partition is read from, over every strategy and kind of commit.
import test from 'ava'
import { readMetadata, writeMetadata } from '../../../../storm-compat/kafka/commit-metadata.ts'
import { FIRST_POLL_STRATEGIES, startOf } from '../../../../storm-compat/kafka/first-poll.ts'

const topologyId = 'wc-1-1700000000'
const own = writeMetadata({ topologyId, taskId: 4, threadName: 'Thread-1' })
const earlier = writeMetadata({ topologyId: 'wc-1-1600000000', taskId: 4, threadName: 'Thread-1' })

const places = {
  EARLIEST: 'earliest',
  LATEST: 'latest',
  TIMESTAMP: { timestampMs: 7 },
  UNCOMMITTED_EARLIEST: 'earliest',
  UNCOMMITTED_LATEST: 'latest',
  UNCOMMITTED_TIMESTAMP: { timestampMs: 7 },
} as const

test('without a commit the strategy decides', t => {
  for (const strategy of FIRST_POLL_STRATEGIES) {
    const start = startOf({ strategy, startTimestampMs: 7, topologyId, committed: undefined })
    t.deepEqual(start, { place: places[strategy] }, strategy)
  }
})

test('a commit of the topology itself wins over every strategy', t => {
  for (const strategy of FIRST_POLL_STRATEGIES) {
    const committed = { offset: 42, metadata: own }
    const start = startOf({ strategy, startTimestampMs: 7, topologyId, committed })
    t.deepEqual(start, { offset: 42 }, strategy)
  }
})

test('a commit of another topology, or of no topology, counts for the UNCOMMITTED strategies only', t => {
  for (const metadata of [earlier, '', 'anything', '{"topologyId":1}', '{']) {
    for (const strategy of FIRST_POLL_STRATEGIES) {
      const committed = { offset: 42, metadata }
      const start = startOf({ strategy, startTimestampMs: 7, topologyId, committed })
      const expected = strategy.startsWith('UNCOMMITTED')
        ? { offset: 42 }
        : { place: places[strategy] }
      t.deepEqual(start, expected, `${strategy} ${metadata}`)
    }
  }
})

test("metadata is written as Storm's spout writes it, and read back", t => {
  t.is(own, '{"topologyId":"wc-1-1700000000","taskId":4,"threadName":"Thread-1"}')
  t.deepEqual(readMetadata(own), { topologyId, taskId: 4, threadName: 'Thread-1' })
  t.is(readMetadata('{"topologyId":"a","taskId":1,"threadName":"b","more":1}'), undefined)
})
