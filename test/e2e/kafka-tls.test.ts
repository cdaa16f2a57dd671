// A Kafka listener with TLS and passwords: both drivers are let in when they trust the certificate, and say why when they do not.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { EngineError } from 'gearpump'
import { openKafka } from 'gearpump/kafka'
import type { KafkaSpoutOptions } from 'gearpump/storm'
import { ALICE, startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { makeTopic } from './kafka-topics.ts'
import { readBySpout } from './spout-reading.ts'
import { until } from './until.ts'

realTest(test.serial, ['kafka'], 'a listener with TLS and a password', async (t, [part]) => {
  t.timeout(170_000)
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const [key, cert, both] = ['key.pem', 'cert.pem', 'both.pem'].map(name => join(dir, name))
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key!, '-out', cert!, '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  writeFileSync(both!, readFileSync(key!, 'utf8') + readFileSync(cert!, 'utf8'))
  const lines = [
    'listener.name.secured.ssl.keystore.type=PEM',
    `listener.name.secured.ssl.keystore.location=${both}`,
  ]
  const kafka = await startKafka({ dir: part.dir, secured: 'SASL_SSL', lines })
  t.teardown(() => kafka.stop())
  await makeTopic(kafka.brokers, 'secret', 1)
  const ca = readFileSync(cert!, 'utf8')
  const sasl = { mechanism: 'scram-sha-512', ...ALICE } as const
  for (const driver of ['kafkajs', 'platformatic'] as const) {
    const client = await openKafka({ brokers: kafka.secured, driver, sasl, tls: { ca } })
    const batch = { topic: 'secret', partition: 0, records: [{ value: driver }] }
    await client.produce(batch)
    const [topic] = await client.topics(['secret'])
    t.is(topic!.partitions.length, 1)
    await client.close()
    const stranger = await openKafka({ brokers: kafka.secured, driver, sasl, tls: true })
    const error = await t.throwsAsync<EngineError>(stranger.topics(['secret']))
    t.is(error!.code, 'KAFKA_REFUSED')
    t.regex(error!.message, /does not let us in: .*self-signed certificate/)
    await stranger.close()
  }
  await spoutReads(t, { servers: kafka.secured, ca: cert!, password: ALICE.password })
})

/** The spout by Kafka's own property names; with a wrong password it says so. */
async function spoutReads(
  t: ExecutionContext,
  { servers, ca, password }: { servers: readonly string[]; ca: string; password: string },
): Promise<void> {
  const options = (secret: string): KafkaSpoutOptions => ({
    bootstrapServers: servers,
    topics: 'secret',
    groupId: 'spies',
    offsetCommitPeriodMs: 200,
    properties: {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${ALICE.username}" password="${secret}";`,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': ca,
    },
  })
  const reading = await readBySpout(t, options(password))
  await until('both records were read', () => reading.got.length === 2)
  t.deepEqual(reading.got.toSorted(), ['kafkajs', 'platformatic'])
  t.is(await reading.errors(), '')
  await reading.stop()
  const wrong = await readBySpout(t, options('not-this'))
  const told = await until('it was told', async () => (await wrong.errors()) || undefined)
  t.regex(told, /KAFKA_REFUSED/)
  t.regex(told, /does not let us in: .*[Aa]uthentication failed/)
  t.false(told.includes('not-this'))
  t.deepEqual(wrong.got, [])
  await wrong.stop()
}
