// Opens a client of the driver that was asked for. A driver's code is loaded when it is first needed: who never reads Kafka pays
// nothing, and the second driver's package is needed by those only who choose it.
import { UserError } from 'gearpump/spi'
import type { KafkaClient, KafkaConnection, ProducerOptions } from './client.ts'
import type { Linking } from './wire/broker-nodes.ts'
import { WireClient } from './wire/wire-client.ts'

/** What a Kafka connector stands on; real clients if not given. */
export interface KafkaParts {
  readonly openClient?: (
    connection: KafkaConnection,
    options?: ProducerOptions,
  ) => Promise<KafkaClient>
}

/**
 * Opens a client. Nothing is asked of a broker before its first method is called.
 *
 * @example
 * const client = await openKafka({ brokers: ['kafka-1:9092'] })
 * const [orders] = await client.topics(['orders'])
 */
export async function openKafka(
  connection: KafkaConnection,
  options: ProducerOptions = {},
): Promise<KafkaClient> {
  return new WireClient(connection, await linkingOf(connection), options)
}

async function linkingOf(connection: KafkaConnection): Promise<Linking> {
  if (connection.driver === 'platformatic') {
    const { platformaticLinking } = await platformaticDriver()
    return platformaticLinking(connection)
  }
  const { kafkajsLinking } = await import('./drivers/kafkajs-link.ts')
  return kafkajsLinking(connection)
}

async function platformaticDriver(): Promise<typeof import('./drivers/platformatic-link.ts')> {
  try {
    return await import('./drivers/platformatic-link.ts')
  } catch (error) {
    const problem = {
      place: 'driver',
      message: `platformatic needs the package @platformatic/kafka, which cannot be loaded: ${String(error)}`,
      hint: 'npm install @platformatic/kafka@1, or leave the driver out',
    }
    throw new UserError('BAD_INPUT', 'kafka', [problem])
  }
}
