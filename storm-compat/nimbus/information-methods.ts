// The methods of Nimbus that only tell: lists, figures, confs, topologies.
import { ThriftException } from '../thrift/codec.ts'
import type { Caller } from '../thrift/server.ts'
import type { Handlers } from '../thrift/service.ts'
import { NotAliveException } from '../thrift/storm-exceptions.ts'
import type { nimbusMethods } from '../thrift/storm-nimbus.ts'
import type { GetInfoOptions } from '../thrift/storm-requests.ts'
import { defaults } from '../topology/settings.ts'
import { componentPage, supervisorPage, topologyPage, windowOf } from './pages.ts'
import {
  clusterSummary,
  type NimbusSite,
  nimbusSummary,
  ownerSummary,
  SUPERVISOR_ID,
  topologyInfo,
  topologySummary,
} from './summaries.ts'
import type { Topologies } from './topologies.ts'
import type { Topology } from './topology.ts'

type All = Handlers<typeof nimbusMethods, Caller>
export type InformationMethods = Pick<
  All,
  | 'getNimbusConf'
  | 'getClusterInfo'
  | 'getTopologySummaries'
  | 'getTopologySummary'
  | 'getTopologySummaryByName'
  | 'getLeader'
  | 'isTopologyNameAllowed'
  | 'getTopologyInfo'
  | 'getTopologyInfoWithOpts'
  | 'getTopologyInfoByName'
  | 'getTopologyInfoByNameWithOpts'
  | 'getTopologyPageInfo'
  | 'getSupervisorPageInfo'
  | 'getComponentPageInfo'
  | 'getTopologyConf'
  | 'getTopology'
  | 'getUserTopology'
  | 'getTopologyHistory'
  | 'getOwnerResourceSummaries'
  | 'getComponentPendingProfileActions'
>

export interface InformationOptions {
  readonly topologies: Topologies
  /** The Nimbus under the address by which a caller came. */
  readonly siteOf: (caller: Caller) => NimbusSite
  readonly logDir: string | undefined
}

export function informationMethods(options: InformationOptions): InformationMethods {
  const { topologies, siteOf, logDir } = options
  const info = async (topology: Topology, asked: GetInfoOptions | undefined, caller: Caller) => {
    const hosted = await topologies.info(topology)
    return topologyInfo(
      topology,
      hosted,
      siteOf(caller),
      ERRORS_MAX[asked?.num_err_choice ?? 'ALL'],
    )
  }
  return {
    ...topologyMethods(options),
    getNimbusConf: (_, caller) => {
      const { host, port } = siteOf(caller)
      const own = { 'nimbus.seeds': [host], 'nimbus.host': host, 'nimbus.thrift.port': port }
      return JSON.stringify({ ...defaults, ...own, 'storm.log.dir': logDir ?? '' })
    },
    getClusterInfo: async (_, caller) => {
      await refreshed(topologies)
      return clusterSummary(topologies.all(), siteOf(caller))
    },
    getTopologySummaries: async (_, caller) => {
      await refreshed(topologies)
      return topologies.all().map(topology => topologySummary(topology, siteOf(caller)))
    },
    getTopologySummary: ({ id }, caller) => topologySummary(topologies.byId(id), siteOf(caller)),
    getTopologySummaryByName: ({ name }, caller) =>
      topologySummary(topologies.byName(name), siteOf(caller)),
    getLeader: (_, caller) => nimbusSummary(siteOf(caller)),
    isTopologyNameAllowed: ({ name }) => topologies.isNameFree(name),
    getTopologyInfo: ({ id }, caller) => info(topologies.byId(id), undefined, caller),
    getTopologyInfoWithOpts: ({ id, options: asked }, caller) =>
      info(topologies.byId(id), asked, caller),
    getTopologyInfoByName: ({ name }, caller) => info(topologies.byName(name), undefined, caller),
    getTopologyInfoByNameWithOpts: ({ name, options: asked }, caller) =>
      info(topologies.byName(name), asked, caller),
    getTopologyHistory: () => ({ topo_ids: [...topologies.history] }),
    getOwnerResourceSummaries: ({ owner = '' }) => {
      const all = topologies.all()
      const owners = owner === '' ? new Set(all.map(topology => topology.owner)) : [owner]
      return [...owners].map(each => ownerSummary(each, all))
    },
    getComponentPendingProfileActions: () => [],
  }
}

const ERRORS_MAX = { ALL: Infinity, NONE: 0, ONE: 1 } as const

type TopologyMethods = Pick<
  InformationMethods,
  | 'getTopologyPageInfo'
  | 'getComponentPageInfo'
  | 'getSupervisorPageInfo'
  | 'getTopologyConf'
  | 'getTopology'
  | 'getUserTopology'
>

function topologyMethods({ topologies, siteOf }: InformationOptions): TopologyMethods {
  return {
    getTopologyPageInfo: async ({ id, window }, caller) => {
      const topology = topologies.byId(id)
      const hosted = await topologies.info(topology)
      return topologyPage(topology, hosted, windowOf(window), siteOf(caller))
    },
    getComponentPageInfo: async ({ topology_id, component_id, window }, caller) => {
      const topology = topologies.byId(topology_id)
      const component = topology.topology.components.find(({ id }) => id === component_id)
      if (component === undefined) {
        throw new ThriftException(NotAliveException, {
          msg: `${topology_id} has no component "${component_id.slice(0, 200)}"`,
        })
      }
      const hosted = await topologies.info(topology)
      return componentPage(topology, component, hosted, windowOf(window), siteOf(caller))
    },
    getSupervisorPageInfo: async ({ id, host }, caller) => {
      const site = siteOf(caller)
      const asked = id === SUPERVISOR_ID || host === site.host
      const seen = (asked ? topologies.all() : []).map(
        async topology => [topology, await topologies.info(topology)] as const,
      )
      return supervisorPage(await Promise.all(seen), site)
    },
    getTopologyConf: ({ id }) => JSON.stringify(topologies.byId(id).conf),
    // No acker or metrics consumer is added here, so both are what was submitted.
    getTopology: ({ id }) => topologies.byId(id).message,
    getUserTopology: ({ id }) => topologies.byId(id).message,
  }
}

// Lists show statuses; a topology that ended by itself is noticed by asking.
async function refreshed(topologies: Topologies): Promise<void> {
  await Promise.all(topologies.all().map(topology => topologies.info(topology)))
}
