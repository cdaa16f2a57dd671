// The later Node: the build runs a Python topology in one process and over two, a native DAG from TypeScript, and the engine's
// own unit tests pass.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { realTest } from '../real/parts.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HANGS_MS = 300_000

async function run(node: string, ...args: readonly string[]): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(node, args, { cwd: ROOT, timeout: HANGS_MS, env })
  return stdout
}

realTest(
  test,
  ['node-22'],
  'Node 22 runs applications in Python and TypeScript',
  async (t, [part]) => {
    const node = part.program!
    t.regex(await run(node, '--version'), /^v22\./)
    const python = ['run', 'examples/python-word-count/topology.yaml', '--until-drained', '--stats']
    for (const executors of ['1', '2']) {
      const stats = await run(node, 'bin/gear', ...python, '--executors', executors)
      const { emitted, acked } = JSON.parse(stats.trim().split('\n').at(-1)!)
      t.true(emitted > 0)
      t.is(acked, emitted)
    }
    const native = ['run', 'examples/complex-dag/complex-dag.ts', '--until-drained', '--stats']
    t.regex(await run(node, 'bin/gear', ...native), /"emitted":2000,"acked":2000/)
  },
)

realTest(test, ['node-22'], 'the unit tests of the engine pass on Node 22', async (t, [part]) => {
  t.timeout(HANGS_MS)
  const parts = ['base', 'dag', 'progress', 'transport'].map(
    name => `test/unit/${name}/**/*.test.ts`,
  )
  const ava = 'node_modules/ava/entrypoints/cli.mjs'
  t.regex(await run(part.program!, ava, '--serial', '--tap', ...parts), /^# fail 0$/m)
})
