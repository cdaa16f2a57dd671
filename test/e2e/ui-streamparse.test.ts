// streamparse's own commands that read the UI, unmodified, against a running topology; and `sparse run` with the built `storm`.
// Leiningen is stood in for by a few lines: streamparse asks it for Storm's version, and has it pack the project.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { realTest } from '../real/parts.ts'
import { counted, expectedWords, jarOf, type NimbusRun, runNimbus } from './nimbus/nimbus-run.ts'
import { sparseBeside } from './nimbus/sparse-programs.ts'
import { until } from './until.ts'

const SENTENCES = 100
const WORDS = 7 * SENTENCES

const LEIN = `#!/bin/sh
case "$1" in
  deps) echo ' [org.apache.storm/storm-core "2.8.1"]' ;;
  uberjar) cd _resources && python3 -m zipfile -c ../words-standalone.jar resources &&
    echo "Created $(dirname "$PWD")/words-standalone.jar" ;;
esac
`

/** A project in `run.dir`, with \`lein\` and \`storm\` beside \`sparse\` on the way of all programs. */
function project(t: ExecutionContext, run: NimbusRun, streamparse: string) {
  const program = sparseBeside(t, run, streamparse, { lein: LEIN })
  const folder = join(run.dir, 'project')
  const prod = {
    user: '',
    nimbus: `localhost:${run.port}`,
    'ui.port': run.uiPort,
    workers: ['localhost'],
    log: { path: '', file: '', max_bytes: 1000000, backup_count: 10, level: 'info' },
    use_ssh_for_nimbus: false,
    use_virtualenv: false,
    virtualenv_root: '',
    options: { 'collect.file': run.collected },
  }
  const config = { serializer: 'json', topology_specs: 'topologies/', envs: { prod } }
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, virtualenv_specs: 'virtualenvs/' }),
  )
  const sparse = (...args: string[]) => run.client(program, args, folder)
  return { folder, sparse }
}

/** The cells of a table under a title, heads first. Cells that were broken over lines are put together. */
function table(output: string, title: string): Record<string, string>[] {
  const [, after = ''] = output.split(`# ${title}\n`)
  const rows: string[][] = []
  let fresh = true
  for (const line of after.split('\n')) {
    if (/^\+[=-]/.test(line)) fresh = true
    else if (line.startsWith('|')) {
      const cells = line.split('|').slice(1, -1)
      const before = fresh ? undefined : rows.at(-1)
      if (before === undefined) rows.push(cells.map(cell => cell.trim()))
      else for (const [i, cell] of cells.entries()) before[i] += cell.trim()
      fresh = false
    } else break
  }
  const [heads = [], ...others] = rows
  return others.map(row => Object.fromEntries(heads.map((head, i) => [head, row[i]!])))
}

realTest(
  test.serial,
  ['streamparse'],
  'sparse stats, worker_uptime and slot_usage show a running topology',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const { folder, sparse } = project(t, run, streamparse.program!)
    writeFileSync(run.jar, jarOf(join(folder, 'src')))
    await sparse('submit', '-n', 'words', '-j', run.jar)
    await until('all words are there', () => run.words().length === WORDS)

    const cluster = await sparse('stats')
    t.like(table(cluster, 'Cluster summary')[0], { supervisors: '1', tasksTotal: '4' })
    t.like(table(cluster, 'Topology summary')[0], { name: 'words', status: 'ACTIVE' })
    t.like(table(cluster, 'Supervisor summary')[0], { host: 'localhost', slotsUsed: '1' })

    let topology = ''
    await until('all is acked', async () => {
      topology = await sparse('stats', '-n', 'words')
      return table(topology, 'Topology stats').at(-1)?.acked === String(SENTENCES)
    })
    const spout = table(topology, 'Spouts (All time)')[0]!
    t.like(spout, { spoutId: 'sentences', emitted: '100', transferred: '100', failed: '0' })
    const bolts = new Map(table(topology, 'Bolt (All time)').map(row => [row.boltId, row]))
    t.like(bolts.get('split'), { executed: '100', emitted: '700', transferred: '700', tasks: '2' })
    t.like(bolts.get('collect'), { executed: '700', acked: '700', emitted: '0' })
    t.false(topology.includes('MISSING'))

    const component = await sparse('stats', '-n', 'words', '-c', 'split')
    t.like(table(component, 'Component summary')[0], { id: 'split', name: 'words', tasks: '2' })
    t.like(table(component, 'Input stats (All time)')[0], {
      component: 'sentences',
      stream: 'default',
      executed: '100',
      acked: '100',
    })
    t.like(table(component, 'Output stats (All time)')[0], { stream: 'default', emitted: '700' })
    const latency = Number(table(component, 'Bolt stats').at(-1)?.processLatency)
    t.true(latency > 0, 'what a Python bolt takes can be measured')
    const source = await sparse('stats', '-n', 'words', '-c', 'sentences')
    t.like(table(source, 'Executors (All time)')[0], { id: '[3-3]', acked: '100', failed: '0' })
    t.true(Number(table(source, 'Spout stats')[0]?.completeLatency) > 0)
    t.false((component + source).includes('MISSING'))

    const uptimes = table(await sparse('worker_uptime'), 'Worker Stats')
    t.deepEqual(
      uptimes.map(row => row['Worker ID']),
      ['[2-2]', '[3-3]', '[4-4]', '[5-5]'],
    )
    t.regex(uptimes[0]!['Log URL']!, /http:\/\/localhost:8000\/api\/v1\/log\?file=words-1-/)
    const slots = table(await sparse('slot_usage'), 'Slot (and Executor) Counts by Topology')
    t.deepEqual(slots, [{ Host: 'localhost', words: '1 (4)' }])
  },
)

realTest(
  test.serial,
  ['streamparse'],
  'sparse run runs an unmodified project with the built storm, without Java and Leiningen',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const { folder, sparse } = project(t, run, streamparse.program!)
    // streamparse calls it seconds and hands it to Flux, which takes milliseconds.
    const output = await sparse('run', '-n', 'words', '-t', '20000')
    t.regex(output, /Uber-JAR created: .*words-standalone\.jar/)
    t.deepEqual(counted(run.words()), expectedWords(SENTENCES))
    t.true(readFileSync(join(folder, 'words-standalone.jar')).length > 0)
  },
)
