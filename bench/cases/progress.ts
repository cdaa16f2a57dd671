// What progress keeping itself costs, ns per tuple and hop: the rows of bench/progress.ts.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Case } from '../harness/case.ts'
import type { Row } from '../harness/measure.ts'

const NAME = 'progress'
const RUN_MS_MAX = 300_000

async function run(): Promise<readonly Row[]> {
  const file = (path: string) => new URL(path, import.meta.url)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--import=${file('../../bin/typescript.mjs').href}`, fileURLToPath(file('../progress.ts'))],
    { timeout: RUN_MS_MAX },
  )
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => ({ case: NAME, ...(JSON.parse(line) as object) }))
    .filter(row => !('row' in row) || row.row !== 'end')
}

export const progressCase: Case = {
  name: NAME,
  about: 'what progress keeping costs by itself, ns of CPU per tuple and hop',
  run,
}
