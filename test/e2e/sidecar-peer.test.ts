// The same topology, with Java components, on Storm's own LocalCluster and here: the same tuples must be processed by the same
// tasks, and the same ids be acked and failed.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type RealPart, realTest } from '../real/parts.ts'
import { tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const COUNT = 100
/** Two spout tasks. */
const ENDS = 2 * COUNT
const SETTINGS = [
  `tour.count=${COUNT}`,
  'topology.message.timeout.secs=3',
  'topology.max.spout.pending=50',
]
const PEER_SECS = 120

function linesOf(dir: string, file: string): string[] {
  const path = join(dir, file)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

async function onStorm(t: ExecutionContext, lib: RealPart): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-peer-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const classPath = `${join(lib.dir, 'local')}/*:${join(lib.dir, 'classes', '2')}`
  const args = ['-Xmx512m', '-cp', classPath, 'JvmPeer', 'mixed', dir, String(PEER_SECS)]
  const peer = spawn(lib.program!, [...args, ...SETTINGS], { stdio: 'ignore' })
  const ended = new Promise(resolve => peer.on('exit', resolve))
  await until('Storm has ended each number', () => endsOf(dir) >= ENDS, PEER_SECS * 1000)
  writeFileSync(join(dir, 'stop'), '')
  await ended
  return dir
}

function endsOf(dir: string): number {
  return linesOf(dir, 'acked').length + linesOf(dir, 'failed').length
}

realTest(
  test.serial,
  ['storm-lib'],
  "Storm's LocalCluster and we process the same tuples in the same tasks, and ack and fail the same ids",
  async (t, [lib]) => {
    t.timeout(300_000)
    const theirs = await onStorm(t, lib)
    const run = await tour(t, lib, '2')
    await run.submit('mixed', ...SETTINGS)
    await until('each number has ended here', () => endsOf(run.dir) >= ENDS)
    // Values with the task that got them, by hash of a field, by name, and by a grouping of the user's.
    for (const file of ['acked', 'failed', 'even', 'odd', 'direct', 'custom', 'types', 'context']) {
      t.deepEqual(linesOf(run.dir, file).sort(), linesOf(theirs, file).sort(), file)
    }
  },
)
