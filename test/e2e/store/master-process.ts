// A candidate process (`candidate.ts`) and what it has said so far.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { until } from '../until.ts'

export interface Said {
  /** By the machine's clock. */
  atMs: number
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
  options: { ttlMs: number; endpoints: readonly string[]; command?: readonly string[] },
): MasterProcess {
  const register = new URL('../../register.mjs', import.meta.url)
  const program = fileURLToPath(new URL('./candidate.ts', import.meta.url))
  const node = [process.execPath, '--conditions=source', `--import=${register}`, program]
  const given = [name, `${options.ttlMs}`, ...options.endpoints]
  const [first, ...args] = [...(options.command ?? []), ...node, ...given]
  const child = spawn(first!, args, {
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
