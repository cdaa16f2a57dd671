// `gear local --thrift-port --ui-port`: the UI shows what tasks in executor processes of a cluster counted, and where.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { localCluster } from './cluster/processes.ts'
import { submitTour } from './nimbus/flux-tour.ts'
import { until } from './until.ts'

interface Row {
  readonly [field: string]: string | number | null
}

realTest(
  test,
  ['multilang'],
  'figures of a topology on two executor processes are seen in the UI, stream by stream and where they arose',
  async (t, [multilang]) => {
    const flags = ['--workers', '2', '--thrift-port', '0', '--ui-port', '0']
    const { process: cluster } = await localCluster(t, flags)
    const [, port, address] = await cluster.says(/Storm's clients at \S+:(\d+); .* at (http\S+)/)
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    await submitTour({ dir, port: Number(port), stormPy: join(multilang.dir, 'storm.py') })
    const get = async (path: string) =>
      (await (await fetch(`${address}${path}`)).json()) as Record<string, Row[]>
    const { topologies } = await get('topology/summary')
    const id = topologies![0]!.id
    await until('all is acked', async () => {
      const { topologyStats } = await get(`topology/${id}`)
      return topologyStats!.at(-1)!.acked === 200
    })
    const page = await get(`topology/${id}`)
    t.is(page.workers!.length, 2)
    t.deepEqual(new Set(page.workers!.map(worker => worker.port)), new Set([6700, 6701]))
    const grumble = page.bolts!.find(bolt => bolt.boltId === 'grumble')!
    t.like(grumble, { executed: 1400, acked: 1400 })
    t.regex(String(grumble.lastError), /made of cheese/)
    const split = await get(`topology/${id}/component/split`)
    t.is(
      split.executorStats!.reduce((sum, row) => sum + Number(row.executed), 0),
      200,
    )
    t.is(
      split.executorStats!.reduce((sum, row) => sum + Number(row.emitted), 0),
      1400,
    )
    t.deepEqual(
      split.inputStats!.map(row => [row.component, row.stream, row.acked]),
      [['sentences', 'default', 200]],
    )
    t.is(new Set(split.executorStats!.map(row => row.port)).size, 2, 'one on each executor')
    const killed = await fetch(`${address}topology/${id}/kill/0`, { method: 'POST' })
    t.like(await killed.json(), { topologyOperation: 'kill', status: 'success' })
    await until('it is gone', async () => (await get('topology/summary')).topologies!.length === 0)
  },
)
