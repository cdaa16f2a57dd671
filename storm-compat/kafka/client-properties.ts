// Kafka's client properties by the names that they have in Java, as far as they mean something here: how brokers are
// reached, and who we are to them. What has no counterpart is told once and does nothing; what would need Java (key
// stores of Java, Kerberos) is refused, with what to write instead. Secrets go into the connection and nowhere else.

import type { KafkaConnection, KafkaDriver, KafkaSasl, KafkaTls } from 'gearpump/kafka'
import { nearestName, type Problem } from 'gearpump/spi'

/** As users write them: texts, numbers, flags. */
export type ClientProperties = Readonly<Record<string, unknown>>

export interface PropertyReport {
  readonly problems: Problem[]
  readonly notices: string[]
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Both kinds of client have these. */
const CONNECTION_KEYS = [
  'bootstrap.servers',
  'client.id',
  'request.timeout.ms',
  'socket.connection.setup.timeout.ms',
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.certificates',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
]

/** They have an effect by nature: nothing is to be told about them. */
const NEEDLESS_KEYS = ['ssl.protocol', 'ssl.enabled.protocols', 'ssl.truststore.password']

/** Looks at what all clients have in common; `own` are the further keys that this kind of client knows. */
export function checkProperties(
  properties: ClientProperties,
  own: readonly string[],
): PropertyReport {
  const problems: Problem[] = []
  const notices: string[] = []
  const known = [...CONNECTION_KEYS, ...own]
  for (const key of Object.keys(properties)) {
    if (known.includes(key) || NEEDLESS_KEYS.includes(key)) continue
    const near = nearestName(key, known)
    const question = near === undefined ? '' : `; did you mean ${near}?`
    notices.push(`the Kafka property ${key} has no effect here${question}`)
  }
  const problem = (key: string, message: string, hint: string) =>
    problems.push({ place: key, message: `${key} ${message}`, hint })
  if (serversOf(properties).length === 0) {
    problem('bootstrap.servers', 'is missing', 'name some brokers: host:port,host:port')
  }
  const protocol = protocolOf(properties)
  if (!PROTOCOLS.includes(protocol)) {
    problem('security.protocol', `is ${protocol}`, `there are ${PROTOCOLS.join(', ')}`)
  }
  if (protocol.startsWith('SASL_')) checkSasl(properties, problem)
  if (protocol.endsWith('SSL')) checkStores(properties, problem)
  return { problems, notices }
}

type Tell = (key: string, message: string, hint: string) => void

function checkSasl(properties: ClientProperties, tell: Tell): void {
  const mechanism = text(properties, 'sasl.mechanism') ?? 'GSSAPI'
  if (!MECHANISMS.includes(mechanism)) {
    tell('sasl.mechanism', `is ${mechanism}`, `there are ${MECHANISMS.join(', ')}`)
  } else if (saslOf(properties) === undefined) {
    const form = 'org.apache.kafka.common.security.plain.PlainLoginModule'
    tell(
      'sasl.jaas.config',
      'has no user and password that can be read',
      `write it as: ${form} required username="…" password="…";`,
    )
  }
}

function checkStores(properties: ClientProperties, tell: Tell): void {
  for (const store of ['truststore', 'keystore']) {
    const location = text(properties, `ssl.${store}.location`)
    const type = text(properties, `ssl.${store}.type`) ?? 'JKS'
    if (location !== undefined && type !== 'PEM') {
      tell(
        `ssl.${store}.location`,
        `is a store of Java (${type})`,
        `write it out as PEM (keytool and openssl pkcs12, see docs/kafka-spout.md), name that file, and set ssl.${store}.type to PEM`,
      )
    }
  }
  if (text(properties, 'ssl.key.password') !== undefined) {
    tell('ssl.key.password', 'is set', 'write the key out without a password, readable by one user')
  }
}

/** `readText` reads PEM files; they are read where the client runs, as in Storm. */
export function connectionOf(
  properties: ClientProperties,
  surroundings: { readText: (path: string) => string; driver: KafkaDriver | undefined },
): KafkaConnection {
  const { readText, driver } = surroundings
  const protocol = protocolOf(properties)
  const sasl = protocol.startsWith('SASL_') ? saslOf(properties) : undefined
  const clientId = text(properties, 'client.id')
  const requestTimeoutMs = number(properties, 'request.timeout.ms')
  const connectTimeoutMs = number(properties, 'socket.connection.setup.timeout.ms')
  return {
    brokers: serversOf(properties),
    ...(clientId === undefined ? {} : { clientId }),
    ...(protocol.endsWith('SSL') ? { tls: tlsOf(properties, readText) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(driver === undefined ? {} : { driver }),
  }
}

/** `host:port,host:port`, or a list. */
export function serversOf(properties: ClientProperties): readonly string[] {
  const servers = properties['bootstrap.servers']
  const list = Array.isArray(servers) ? servers.map(String) : String(servers ?? '').split(',')
  return list.map(server => server.trim().replace(/^\w+:\/\//, '')).filter(s => s !== '')
}

function protocolOf(properties: ClientProperties): string {
  return (text(properties, 'security.protocol') ?? 'PLAINTEXT').toUpperCase()
}

function saslOf(properties: ClientProperties): KafkaSasl | undefined {
  const jaas = text(properties, 'sasl.jaas.config') ?? ''
  const username = /\busername\s*=\s*"((?:[^"\\]|\\.)*)"/.exec(jaas)?.[1]
  const password = /\bpassword\s*=\s*"((?:[^"\\]|\\.)*)"/.exec(jaas)?.[1]
  const mechanism = text(properties, 'sasl.mechanism')?.toLowerCase()
  if (username === undefined || password === undefined || mechanism === undefined) return undefined
  return {
    mechanism: mechanism as KafkaSasl['mechanism'],
    username: unescaped(username),
    password: unescaped(password),
  }
}

function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(.)/g, '$1')
}

function tlsOf(properties: ClientProperties, readText: (path: string) => string): KafkaTls {
  const pem = (inline: string, location: string) => {
    const path = text(properties, location)
    return text(properties, inline) ?? (path === undefined ? undefined : readText(path))
  }
  const ca = pem('ssl.truststore.certificates', 'ssl.truststore.location')
  // A PEM file of a key store holds both; each reader takes its own part of it.
  const cert = pem('ssl.keystore.certificate.chain', 'ssl.keystore.location')
  const key = pem('ssl.keystore.key', 'ssl.keystore.location')
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

export function text(properties: ClientProperties, key: string): string | undefined {
  const value = properties[key]
  return value === undefined || value === null || value === '' ? undefined : String(value)
}

/** Numbers may be texts, as in Java's Properties. */
export function number(properties: ClientProperties, key: string): number | undefined {
  const value = text(properties, key)
  const read = Number(value)
  return value === undefined || !Number.isFinite(read) ? undefined : read
}

/** Properties that show a password or a key; they never leave the component. */
export function isSecret(key: string): boolean {
  return /password|jaas|\.key$|certificate\.chain|secret/i.test(key)
}
