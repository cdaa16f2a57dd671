// A start beside a broker that has just come up: the group's coordinator is waited for, told of once, and not for ever.
import test from 'ava'
import type { KafkaClient } from '../../../../connectors/kafka/client.ts'
import { brokerError } from '../../../../connectors/kafka/kafka-errors.ts'
import { PartitionStart } from '../../../../connectors/kafka/partition-start.ts'
import type { KafkaSourceSettings } from '../../../../connectors/kafka/source-options.ts'

const NOT_AVAILABLE = 15
const GROUP_REFUSED = 30

/** A group whose offsets are told after so many failures. */
function rig(failures: number, error = NOT_AVAILABLE) {
  let asked = 0
  const reported: string[] = []
  const client = {
    committed: async () => {
      if (++asked <= failures)
        throw brokerError(error, { what: 'has no coordinator', groupId: 'g' })
      return [{ topic: 'in', partition: 0, offset: 7, metadata: '' }]
    },
    offsets: async () => [],
  } as unknown as KafkaClient
  const settings = { groupId: 'g', from: 'committed', otherwise: 'earliest' }
  const start = new PartitionStart(client, settings as KafkaSourceSettings, {
    report: error => void reported.push((error as Error).message),
  })
  const begin = (late = false) =>
    start.of([{ topic: 'in', partition: 0, topicId: undefined } as never], {
      startedS: 1,
      position: undefined,
      late,
    })
  return { begin, reported, asked: () => asked }
}

test('a coordinator that is not there yet is waited for and told of once', async t => {
  const { begin, reported, asked } = rig(5)
  const found = await begin()
  t.is(asked(), 6)
  t.is([...found.values()][0]!.standing.low, 7)
  t.is(reported.length, 1)
  t.regex(reported[0]!, /waits for the coordinator of the group g/)
})

test('it is not waited for without end, and not while the run goes on', async t => {
  const never = rig(Number.POSITIVE_INFINITY)
  await t.throwsAsync(never.begin(), { message: /COORDINATOR_NOT_AVAILABLE/ })
  t.true(never.asked() > 5)
  const later = rig(1)
  await t.throwsAsync(later.begin(true), { message: /COORDINATOR_NOT_AVAILABLE/ })
  t.is(later.asked(), 1)
})

test('a missing right ends the start at once', async t => {
  const { begin, asked, reported } = rig(1, GROUP_REFUSED)
  await t.throwsAsync(begin(), { code: 'KAFKA_REFUSED' })
  t.is(asked(), 1)
  t.deepEqual(reported, [])
})
