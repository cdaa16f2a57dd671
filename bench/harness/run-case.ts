// Starts one case in a fresh process, on the build, and reads its lines. A case that fails gives a line with its error.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Row, Timing } from './measure.ts'

/** Beyond its measured time: start, ceilings of children, several runs in one case. */
const EXTRA_MS = 600_000
const COMPLAINT_CHARS = 4000
/** With what came of the TypeScript of earlier runs a case's process needs no transpiler, whose 40 MB are not the engine's. */
const TYPESCRIPT_CACHE = fileURLToPath(new URL('../../.cache/typescript', import.meta.url))

export interface CaseOptions extends Timing {
  /** Options of Node for the case's process, such as --cpu-prof. */
  readonly node: readonly string[]
}

export async function runCase(name: string, options: CaseOptions): Promise<readonly Row[]> {
  const { secs, warm, node } = options
  const hooks = new URL('../../bin/typescript.mjs', import.meta.url).href
  const entry = fileURLToPath(new URL('./case-process.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    [...node, `--import=${hooks}`, entry, name, String(secs), String(warm)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (secs + warm) * 4000 + EXTRA_MS,
      env: { ...process.env, GEARPUMP_TYPESCRIPT_CACHE: TYPESCRIPT_CACHE },
    },
  )
  let output = ''
  let complaint = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    process.stderr.write(text)
    complaint = (complaint + text.toString()).slice(-COMPLAINT_CHARS)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) {
    const last = complaint.trim().split('\n').slice(-5).join(' | ')
    return [{ case: name, error: `${signal ?? `exit code ${code}`}: ${last}` }]
  }
  return output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Row)
}
