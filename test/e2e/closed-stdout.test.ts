// `gear run … | head`: nobody reads what the tasks write any more, in this process or in executor processes. The run ends at once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const LOUD = `import { graph, processor, source } from 'gearpump'
const numbers = () => { let n = 0; return { next: out => (out.output(n, n++), true) } }
const loud = processor('loud', () => ({ onNext: n => console.log('line', n) }), { parallelism: 2 })
export default graph(source('numbers', numbers).to(loud))
`

for (const executors of [1, 3]) {
  test(`with ${executors} executors the run ends when the reader of stdout has gone`, async t => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    writeFileSync(join(dir, 'loud.mjs'), LOUD)
    const args = [GEAR, 'run', join(dir, 'loud.mjs'), '--executors', `${executors}`]
    const gear = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => gear.kill('SIGKILL'))
    let stderr = ''
    gear.stderr.on('data', data => {
      stderr += data
    })
    await once(gear.stdout, 'data')
    gear.stdout.destroy()
    const [code] = await once(gear, 'exit')
    t.is(code, 1)
    t.regex(stderr, /the reader of stdout has gone: ended/)
    t.notRegex(stderr, /EPIPE|died/)
  })
}
