// How far spouts on Kafka are behind: found, as in Storm, by the `config.*` keys of a spout's own settings. Storm then asks
// Kafka by a program of its own; here the answer says which command tells.
import type { StormTopology } from '../thrift/storm-topology.ts'
import type { Json } from './cluster-pages.ts'

export function lagJson({ spouts }: StormTopology): Json {
  const found: [string, Json][] = []
  for (const [spoutId, { common }] of spouts) {
    const conf = confOf(common.json_conf)
    const group = conf['config.groupid']
    const servers = conf['config.bootstrap.servers']
    if ([conf['config.topics'], group, servers].some(value => typeof value !== 'string')) continue
    const errorInfo =
      'the lag is not asked for here; Kafka tells it: ' +
      `kafka-consumer-groups.sh --bootstrap-server ${servers} --describe --group ${group}`
    found.push([spoutId, { spoutId, spoutType: 'KAFKA', errorInfo }])
  }
  return Object.fromEntries(found)
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
