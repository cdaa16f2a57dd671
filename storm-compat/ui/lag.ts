// How far spouts on Kafka are behind: found, as in Storm, by the `config.*` keys of a spout's own settings, and asked of Kafka
// (spout-lag.ts). Passwords are in no component's settings here, so brokers that want one are not asked; the answer then says
// which command tells.
import { readFileSync } from 'node:fs'
import { asError } from 'gearpump/spi'
import { checkProperties, connectionOf } from '../kafka/client-properties.ts'
import type { StormTopology } from '../thrift/storm-topology.ts'
import type { Json } from './cluster-pages.ts'
import type { AskLag, LagQuestion } from './spout-lag.ts'

const PREFIX = 'config.'
const KEYS = 'config.ssl.key'

export async function lagJson({ spouts }: StormTopology, ask: AskLag): Promise<Json> {
  const found: Promise<[string, Json]>[] = []
  for (const [spoutId, { common }] of spouts) {
    const conf = confOf(common.json_conf)
    const named = ['topics', 'groupid', 'bootstrap.servers'].map(key => conf[`${PREFIX}${key}`])
    if (named.some(value => typeof value !== 'string')) continue
    const [topics, groupId, servers] = named as [string, string, string]
    const entry = lagOfSpout(conf, { topics: topics.split(','), groupId, servers }, ask)
    found.push(entry.then(told => [spoutId, { spoutId, spoutType: 'KAFKA', ...told }]))
  }
  return Object.fromEntries(await Promise.all(found))
}

interface SpoutGroup {
  readonly topics: readonly string[]
  readonly groupId: string
  readonly servers: string
}

async function lagOfSpout(
  conf: Json,
  { topics, groupId, servers }: SpoutGroup,
  ask: AskLag,
): Promise<Json> {
  const command = `kafka-consumer-groups.sh --bootstrap-server ${servers} --describe --group ${groupId}`
  try {
    const question: LagQuestion = { connection: connectionFrom(conf), groupId, topics }
    const spoutLagResult = await ask(question)
    if (Object.keys(spoutLagResult).length > 0) return { spoutLagResult }
    return {
      errorInfo: `no topic of ${topics.join(', ')} is there, or it is a pattern: ${command}`,
    }
  } catch (thrown) {
    return { errorInfo: `${asError(thrown).message}; Kafka tells it as well: ${command}` }
  }
}

function connectionFrom(conf: Json) {
  const properties = Object.fromEntries(
    Object.entries(conf).flatMap(([key, value]) =>
      // No key of this host is shown to a broker that a submitter names.
      key.startsWith(PREFIX) && !key.startsWith(KEYS) ? [[key.slice(PREFIX.length), value]] : [],
    ),
  )
  const [problem] = checkProperties(properties, []).problems
  if (problem !== undefined)
    throw new Error(`the lag is not asked for here: ${problem.message} in this spout’s settings`)
  const readText = (path: string) => readFileSync(path, 'utf8')
  return connectionOf(properties, { readText, driver: undefined })
}

function confOf(text: string | undefined): Json {
  try {
    const conf: unknown = JSON.parse(text ?? '{}')
    return typeof conf === 'object' && conf !== null ? (conf as Json) : {}
  } catch {
    // A submitter may send what is no JSON; the Nimbus has told so. Such a spout has no lag that could be found.
    return {}
  }
}
