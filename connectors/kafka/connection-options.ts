// How a broker is spoken to, as far as a user can get it wrong. Secrets are looked at, and never repeated.
import type { Problem } from 'gearpump/spi'
import { checkOptions, type OptionRule } from '../base/option-rules.ts'
import type { KafkaConnection, KafkaSasl, KafkaTls } from './client.ts'

const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512']
const HOUR_MS = 3_600_000

/** Rules for the options of a connection that are plain values. */
export const CONNECTION_RULES: Readonly<
  Record<'clientId' | 'driver' | 'connectTimeoutMs' | 'requestTimeoutMs', OptionRule>
> = {
  clientId: { type: 'text' },
  driver: { type: 'choice', of: ['kafkajs', 'platformatic'] },
  connectTimeoutMs: { type: 'number', min: 1, max: HOUR_MS },
  requestTimeoutMs: { type: 'number', min: 1, max: HOUR_MS },
}

const TLS_RULES: Readonly<Record<keyof KafkaTls, OptionRule>> = {
  ca: { type: 'text' },
  cert: { type: 'text' },
  key: { type: 'text' },
  servername: { type: 'text' },
  rejectUnauthorized: { type: 'boolean' },
}

/** Problems of the options that have a structure. */
export function connectionProblems({ brokers, tls, sasl }: Partial<KafkaConnection>): Problem[] {
  const problems: Problem[] = []
  if (!Array.isArray(brokers) || brokers.length === 0) {
    const hint = "such as brokers: ['kafka-1:9092', 'kafka-2:9092']"
    problems.push({ place: 'brokers', message: 'must be a list of host:port', hint })
  } else {
    for (const [i, broker] of brokers.entries()) {
      const port = ADDRESS.exec(String(broker))?.[2]
      if (port !== undefined && Number(port) <= 65_535) continue
      problems.push({ place: `brokers[${i}]`, message: `${String(broker)} is no host:port` })
    }
  }
  if (tls !== undefined && typeof tls !== 'boolean') problems.push(...tlsProblems(tls))
  if (sasl !== undefined) problems.push(...saslProblems(sasl))
  return problems
}

// A name that is passed over here would be a connection that is less safe than it was meant to be.
function tlsProblems(tls: unknown): Problem[] {
  if (typeof tls !== 'object' || tls === null)
    return [{ place: 'tls', message: 'must be true, or { ca, cert, key }' }]
  return checkOptions(tls, TLS_RULES).map(problem => ({
    ...problem,
    place: `tls.${problem.place}`,
  }))
}

function saslProblems(sasl: KafkaSasl): Problem[] {
  const problems: Problem[] = []
  const { mechanism, username, password } = sasl ?? {}
  if (!MECHANISMS.includes(mechanism))
    problems.push({ place: 'sasl.mechanism', message: `must be one of ${MECHANISMS.join(', ')}` })
  for (const [name, value] of Object.entries({ username, password })) {
    if (typeof value === 'string' && value !== '') continue
    problems.push({ place: `sasl.${name}`, message: 'must be a text that is not empty' })
  }
  return problems
}

/** Only what a connection is made of. */
export function connectionOf(options: KafkaConnection): KafkaConnection {
  const { brokers, clientId, tls, sasl, connectTimeoutMs, requestTimeoutMs, driver } = options
  const all = { brokers, clientId, tls, sasl, connectTimeoutMs, requestTimeoutMs, driver }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as KafkaConnection
}
