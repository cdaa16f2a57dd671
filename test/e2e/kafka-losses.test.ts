// The two ways in which kafkajs's own producer loses messages and says nothing, each shown on a real cluster, and beside it our client,
// which loses none.
import test from 'ava'
import { openKafka } from 'gearpump/kafka'
import kafkajs from 'kafkajs'
import { startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { asAdmin, clientOf, countTexts, makeTopic } from './kafka-topics.ts'
import { until } from './until.ts'

const { Kafka: KafkaJS, Partitioners } = kafkajs

realTest(
  test.serial,
  ['kafka'],
  'a partition that cached metadata lacks: kafkajs drops its message and resolves, our client delivers it',
  async (t, [part]) => {
    t.timeout(170_000)
    const kafka = await startKafka({ dir: part.dir })
    t.teardown(() => kafka.stop())
    const { brokers } = kafka
    await makeTopic(brokers, 'grown', 2)
    const theirs = new KafkaJS({ brokers: [...brokers], logLevel: 0 }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await theirs.connect()
    t.teardown(() => theirs.disconnect())
    const ours = await clientOf(brokers)
    t.teardown(() => ours.close())
    const texts = (who: string) =>
      [0, 1, 2, 3].map(partition => ({ partition, value: `${who} ${partition}` }))
    await theirs.send({ topic: 'grown', messages: texts('before').slice(0, 2) })
    await ours.produce({ topic: 'grown', partition: 0, records: [{ key: null, value: 'ours' }] })
    await asAdmin(brokers, async admin => {
      await admin.createPartitions({ topicPartitions: [{ topic: 'grown', count: 4 }] })
      return true
    })
    await until('it has grown', async () => {
      const [topic] = await ours.topics(['grown'])
      return topic?.partitions.every(one => one.leader > 0) && topic.partitions.length === 4
    })

    const answer = await theirs.send({ topic: 'grown', messages: texts('theirs') })
    t.is(answer.length, 2, 'this is what their guard would have to look at')
    for (const { partition, value } of texts('ours'))
      await ours.produce({ topic: 'grown', partition, records: [{ key: null, value }] })
    const there = await countTexts(ours, 'grown')
    const found = (who: string) => texts(who).filter(({ value }) => there.has(value)).length
    t.is(found('theirs'), 2, 'their send resolved, and two of four messages are nowhere')
    t.is(found('ours'), 4)
  },
)

const PARTITIONS = 6
/** So that a dead node is noticed soon, and one that hangs keeps nobody waiting for long. */
const QUICK = [
  'broker.session.timeout.ms=3000',
  'broker.heartbeat.interval.ms=500',
  'replica.lag.time.max.ms=1500',
]

realTest(
  test.serial,
  ['kafka'],
  'a broker dies while a send to several leaders is under way: kafkajs drops its partitions and resolves, our client delivers all once',
  async (t, [part]) => {
    t.timeout(175_000)
    const kafka = await startKafka({ dir: part.dir, nodes: 3, lines: QUICK })
    t.teardown(() => kafka.stop())
    const { brokers } = kafka
    const theirs = new KafkaJS({ brokers: [...brokers], logLevel: 0 }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: 10 },
    })
    await theirs.connect()
    const ours = await openKafka({ brokers, connectTimeoutMs: 1000 })
    t.teardown(() => ours.close())
    const sending = async (who: string, round: string) => {
      if (who === 'theirs') {
        const messages = PLACES.map(partition => ({ partition, value: `${round} ${partition}` }))
        return (await theirs.send({ topic: who, messages })).length
      }
      const sends = PLACES.map(partition => {
        const records = [{ key: null, value: `${round} ${partition}` }]
        return ours.produce({ topic: who, partition, records })
      })
      return (await Promise.all(sends)).length
    }
    const topics = ['theirs', 'ours']
    for (const topic of topics) {
      await makeTopic(brokers, topic, PARTITIONS)
      await until(`${topic} takes messages`, () =>
        sending(topic, 'before').then(count => count > 0),
      )
    }
    const [led] = await ours.topics(['theirs'])
    const victim = led!.partitions[0]!.leader
    const left = led!.partitions.filter(one => one.leader !== victim)
    t.true(left.length > 0 && left.length < PARTITIONS)
    const at = left.map(({ partition }) => ({ topic: 'theirs', partition }))

    // Asleep, it takes what it is sent and answers nothing; the others answer; then it is gone.
    kafka.nodes[victim - 1]!.signal('SIGSTOP')
    const answers = Promise.all(topics.map(topic => sending(topic, 'amid')))
    await until('the other leaders have answered', async () =>
      (await ours.offsets('latest', at)).every(({ offset }) => offset >= 2),
    )
    kafka.nodes[victim - 1]!.signal('SIGKILL')
    const [theirCount, ourCount] = await answers

    const there = async (topic: string) => {
      const counts = await countTexts(ours, topic)
      return PLACES.map(partition => counts.get(`amid ${partition}`) ?? 0)
    }
    t.is(theirCount, left.length, 'their send resolved: this is what their guard would look at')
    const delivered = (await there('theirs')).filter(count => count > 0).length
    t.is(delivered, left.length, 'the messages for the dead leader are nowhere')
    t.is(ourCount, PARTITIONS)
    t.deepEqual(
      await there('ours'),
      PLACES.map(() => 1),
      'each is there, and once',
    )
    void theirs.disconnect()
  },
)

const PLACES = Array.from({ length: PARTITIONS }, (_, partition) => partition)
