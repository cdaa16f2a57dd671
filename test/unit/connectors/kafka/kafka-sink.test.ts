// The Kafka sink on a cluster in memory: where records go, and what happens to those that cannot.
import test from 'ava'
import { type KafkaSinkOptions, kafkaSink } from 'gearpump/kafka'
import { ManualEnvironment, testTask } from 'gearpump/testing'
import { partitionOfKey } from '../../../../connectors/kafka/key-partitioner.ts'
import { MemoryKafka } from './_memory-kafka.ts'

async function start(kafka: MemoryKafka, options: Partial<KafkaSinkOptions<string>>) {
  const declared = kafkaSink<string>(
    { brokers: ['memory:1'], topic: 'out', ...options },
    { openClient: kafka.open },
  )
  const environment = new ManualEnvironment({ seed: 1 })
  const task = await testTask(declared(), { environment })
  const settle = async () => {
    for (let k = 0; k < 20; k++) {
      await task.advance(20)
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }
  return { task, settle }
}

test('a key decides the partition as with Java, a topic may be named per record, and inputs end when it is there', async t => {
  const kafka = new MemoryKafka()
  kafka.create('out', 4)
  kafka.create('other', 1)
  const { task, settle } = await start(kafka, {
    encode: text => (text === 'x' ? { topic: 'other', value: text } : { key: text, value: text }),
  })
  const inputs = ['a', 'b', 'c', 'x'].map(text => task.push(text))
  await settle()
  for (const key of ['a', 'b', 'c']) {
    const { records } = kafka.log({ topic: 'out', partition: partitionOfKey(key, 4) })
    t.true(records.some(record => String(record.value) === key))
  }
  t.deepEqual(kafka.values('other'), ['x'])
  t.deepEqual(
    inputs.map(input => input.state),
    ['released', 'released', 'released', 'released'],
  )
  await task.stop()
})

test('a topic or partition that is not there fails its own inputs, in words', async t => {
  const kafka = new MemoryKafka()
  kafka.create('out', 1)
  const { task, settle } = await start(kafka, {
    encode: text => {
      if (text === 'topic') return { topic: 'typo', value: text }
      return text === 'partition' ? { partition: 7, value: text } : { value: text }
    },
  })
  const inputs = ['topic', 'partition', 'fine'].map(text => task.push(text))
  await settle()
  t.deepEqual(
    inputs.map(input => input.state),
    ['failed', 'failed', 'released'],
  )
  const said = task.errors.map(error => error.message).join('\n')
  t.regex(said, /there is no topic typo/)
  t.regex(said, /there is no out\[7\]: the topic has 1 partitions/)
  await task.stop()
})
