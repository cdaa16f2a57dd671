// A candidate process (`candidate.ts`) and what it has said so far.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { until } from '../until.ts'

export interface Said {
  lead?: number
  wrote?: number
  lost?: string
  leader?: string | null
  refused?: string
  outcome?: string
  fence?: number
}

export interface MasterProcess {
  readonly name: string
  readonly child: ChildProcess
  readonly said: readonly Said[]
  /** The first thing said that `matches`, waited for. */
  says(what: string, matches: (said: Said) => boolean, timeoutMs?: number): Promise<Said>
}

export function masterProcess(
  t: ExecutionContext,
  name: string,
  { ttlMs, endpoints }: { ttlMs: number; endpoints: readonly string[] },
): MasterProcess {
  const register = new URL('../../register.mjs', import.meta.url)
  const program = fileURLToPath(new URL('./candidate.ts', import.meta.url))
  const args = ['--conditions=source', `--import=${register}`, program, name, `${ttlMs}`]
  const child = spawn(process.execPath, [...args, ...endpoints], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: Said[] = []
  let rest = ''
  child.stdout!.on('data', (data: Buffer) => {
    const lines = (rest + data).split('\n')
    rest = lines.pop()!
    for (const line of lines) said.push(JSON.parse(line))
  })
  return {
    name,
    child,
    said,
    says: (what, matches, timeoutMs = 15_000) => until(what, () => said.find(matches), timeoutMs),
  }
}
