// `npm run demo`, but for the installation: the counts of the Python word count are those of tr, sort and uniq.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { ensureBuilt, root } from '../../../scripts/setup.mjs'

test('the demo counts a text of more than 4 MB as tr, sort and uniq do, all acked', async t => {
  await ensureBuilt()
  const demo = spawnSync(process.execPath, [join(root, 'scripts/demo.mjs')], { encoding: 'utf8' })
  t.is(demo.status, 0, demo.stderr)
  t.regex(demo.stdout, /4,485,964 bytes/)
  t.regex(demo.stdout, /All 107,039 lines acked; the counts of all 30,521 words/)
})
