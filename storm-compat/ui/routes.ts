// The paths of Storm's UI under /api/v1, each with what it asks of the Nimbus and what page it makes of the answer. A test
// compares this table with docs/storm-ui.md.
import { WINDOWS } from '../nimbus/windows.ts'
import {
  clusterSummaryJson,
  historyJson,
  type Json,
  nimbusSummaryJson,
  ownerPageJson,
  ownersJson,
  supervisorPageJson,
  supervisorsJson,
  topologiesJson,
} from './cluster-pages.ts'
import type { PagePlace } from './component-stats.ts'
import type { UiConf } from './formats.ts'
import { lagJson } from './lag.ts'
import type { NimbusCalls } from './nimbus-calls.ts'
import { activate, deactivate, debug, kill, rebalance, setLogLevels } from './operations.ts'
import type { AskLag } from './spout-lag.ts'
import {
  componentPageJson,
  logConfigJson,
  topologyMetricsJson,
  topologyPageJson,
  topologyWorkersJson,
} from './topology-pages.ts'
import { UiError } from './ui-error.ts'
import { type Drawn, legendJson, visualizationJson } from './visualization.ts'

/** A request as its route sees it. */
export interface Asked {
  readonly nimbus: NimbusCalls
  readonly conf: UiConf
  readonly nowSecs: number
  readonly askLag: AskLag
  /** What stands in the path for `{id}` and the like, in order. */
  readonly words: readonly string[]
  readonly query: URLSearchParams
  /** The JSON of a POST; undefined if it has no body. */
  readonly body: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST'
  /** Under /api/v1; a segment in braces is any one word. */
  readonly path: string
  readonly answer: (asked: Asked) => Promise<Json>
}

const get = (path: string, answer: Route['answer']): Route => ({ method: 'GET', path, answer })
const post = (path: string, answer: Route['answer']): Route => ({ method: 'POST', path, answer })

const PROFILING =
  'there is no JVM to profile: use node --cpu-prof, py-spy or what the component’s language has'

async function profiling(): Promise<Json> {
  return { status: 'disabled', message: PROFILING }
}

/** What was a secret in Storm 0.9.3 to 0.9.7 is none here: who may act is decided by where a request comes from (guard.ts). */
const ANY_TOKEN = { antiForgeryToken: 'any' }

export const routes: readonly Route[] = [
  get('/token', async () => ANY_TOKEN),
  get('/cluster/configuration', async ({ nimbus }) =>
    JSON.parse(await nimbus.call('getNimbusConf', {})),
  ),
  get('/cluster/summary', async ({ nimbus, conf }) =>
    clusterSummaryJson(await nimbus.call('getClusterInfo', {}), conf),
  ),
  get('/nimbus/summary', async ({ nimbus, conf }) =>
    nimbusSummaryJson(await nimbus.call('getClusterInfo', {}), conf),
  ),
  get('/owner-resources', async ({ nimbus, conf }) =>
    ownersJson(await nimbus.call('getOwnerResourceSummaries', {}), conf),
  ),
  get('/owner-resources/{id}', ownerPage),
  get('/history/summary', async ({ nimbus }) =>
    historyJson(await nimbus.call('getTopologyHistory', {})),
  ),
  get('/supervisor/summary', async ({ nimbus, conf }) =>
    supervisorsJson(await nimbus.call('getClusterInfo', {}), conf),
  ),
  get('/supervisor', supervisorPage),
  get('/topology/summary', async ({ nimbus, conf }) =>
    topologiesJson((await nimbus.call('getClusterInfo', {})).topologies, conf),
  ),
  get('/topology-workers/{id}', async ({ nimbus, conf, words: [id = ''] }) =>
    topologyWorkersJson(await nimbus.call('getTopologyInfo', { id }), conf),
  ),
  get('/topology/{id}', async asked =>
    topologyPageJson(await pageOf(asked), windowOf(asked), placeOf(asked)),
  ),
  get('/topology/{id}/metrics', async asked => {
    const info = await asked.nimbus.call('getTopologyInfo', { id: asked.words[0]! })
    return topologyMetricsJson(info, await pageOf(asked), windowOf(asked))
  }),
  get('/topology/{id}/lag', async ({ nimbus, askLag, words: [id = ''] }) =>
    lagJson(await nimbus.call('getTopology', { id }), askLag),
  ),
  get('/topology/{id}/visualization-init', async asked => legendJson(await drawnOf(asked))),
  get('/topology/{id}/visualization', async asked => visualizationJson(await drawnOf(asked))),
  get('/topology/{id}/component/{component}', componentPage),
  get('/topology/{id}/logconfig', async ({ nimbus, words: [name = ''] }) =>
    logConfigJson(await nimbus.call('getLogConfig', { name })),
  ),
  post('/topology/{id}/logconfig', ({ nimbus, words: [id = ''], body }) =>
    setLogLevels(nimbus, id, body),
  ),
  post('/topology/{id}/activate', ({ nimbus, words: [id = ''] }) => activate(nimbus, id)),
  post('/topology/{id}/deactivate', ({ nimbus, words: [id = ''] }) => deactivate(nimbus, id)),
  post('/topology/{id}/rebalance/{wait-time}', ({ nimbus, words: [id = '', wait = ''], body }) =>
    rebalance(nimbus, id, wait, body),
  ),
  post('/topology/{id}/kill/{wait-time}', ({ nimbus, words: [id = '', wait = ''] }) =>
    kill(nimbus, id, wait),
  ),
  post(
    '/topology/{id}/debug/{action}/{spct}',
    ({ nimbus, words: [id = '', action = '', percent = ''] }) =>
      debug(nimbus, id, { component: '', action, percent }),
  ),
  post(
    '/topology/{id}/component/{component}/debug/{action}/{spct}',
    ({ nimbus, words: [id = '', component = '', action = '', percent = ''] }) =>
      debug(nimbus, id, { component, action, percent }),
  ),
  post('/topology/{id}/profiling/start/{host-port}/{timeout}', profiling),
  post('/topology/{id}/profiling/stop/{host-port}', profiling),
  post('/topology/{id}/profiling/dumpprofile/{host-port}', profiling),
  post('/topology/{id}/profiling/dumpjstack/{host-port}', profiling),
  post('/topology/{id}/profiling/dumpheap/{host-port}', profiling),
  post('/topology/{id}/profiling/restartworker/{host-port}', profiling),
]

const compiled = routes.map(route => ({
  route,
  segments: route.path.split('/').slice(1),
}))

/** The routes of a path, whatever their method, with the words that stand in it. */
export function routesOf(
  path: string,
): { readonly route: Route; readonly words: readonly string[] }[] {
  const segments = path.split('/').slice(1)
  // A word of the table wins over any word: `summary` is no id.
  return compiled
    .filter(of => of.segments.length === segments.length)
    .filter(of => of.segments.every((each, i) => isAny(each) || each === segments[i]))
    .sort((a, b) => a.segments.filter(isAny).length - b.segments.filter(isAny).length)
    .map(({ route, segments: own }) => ({
      route,
      words: own.flatMap((each, i) => (isAny(each) ? [decoded(segments[i]!)] : [])),
    }))
}

function isAny(segment: string): boolean {
  return segment.startsWith('{')
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch {
    throw new UiError(400, `"${word.slice(0, 100)}" is not encoded as a part of an address is`)
  }
}

/**
 * The window that is asked for; all time if none is. Storm answers any number of seconds, with nothing counted in a window
 * that it does not keep; checks of others ask for 60.
 */
function windowOf({ query }: Asked): string {
  const window = query.get('window') ?? ':all-time'
  if (window === ':all-time' || /^\d{1,9}$/.test(window)) return window
  throw new UiError(400, `window is one of ${WINDOWS.join(', ')}`)
}

/** Java reads `true` only; Storm's pages say `true`, its documentation 1. */
function sysOf({ query }: Asked): boolean {
  return ['true', '1'].includes(query.get('sys') ?? '')
}

function placeOf({ conf, nowSecs, words }: Asked): PagePlace {
  return { conf, nowSecs, topologyId: words[0]! }
}

function pageOf(asked: Asked) {
  return asked.nimbus.call('getTopologyPageInfo', {
    id: asked.words[0]!,
    window: windowOf(asked),
    is_include_sys: sysOf(asked),
  })
}

async function drawnOf(asked: Asked): Promise<Drawn> {
  const id = asked.words[0]!
  const options = { num_err_choice: 'ONE' } as const
  return {
    info: await asked.nimbus.call('getTopologyInfoWithOpts', { id, options }),
    topology: await asked.nimbus.call('getTopology', { id }),
    page: await pageOf(asked),
    window: windowOf(asked),
  }
}

async function componentPage(asked: Asked): Promise<Json> {
  const [topology_id = '', component_id = ''] = asked.words
  const window = windowOf(asked)
  const page = await asked.nimbus.call('getComponentPageInfo', {
    topology_id,
    component_id,
    window,
    is_include_sys: sysOf(asked),
  })
  return componentPageJson(page, window, placeOf(asked))
}

async function supervisorPage(asked: Asked): Promise<Json> {
  const id = asked.query.get('id')
  const host = asked.query.get('host')
  const page = await asked.nimbus.call('getSupervisorPageInfo', {
    ...(id === null ? {} : { id }),
    ...(host === null ? {} : { host }),
    is_include_sys: sysOf(asked),
  })
  return supervisorPageJson(page, asked.conf)
}

async function ownerPage({ nimbus, conf, words: [owner = ''] }: Asked): Promise<Json> {
  const [of = { owner }] = await nimbus.call('getOwnerResourceSummaries', { owner })
  const { topologies } = await nimbus.call('getClusterInfo', {})
  return ownerPageJson(of, topologies, conf)
}
