// Runs a multi-lang bolt of the examples as a bare process: shakes hands, gives it tuples, and takes its answers as
// they are written. No engine is involved.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const OUR_STORM_PY = join(import.meta.dirname, '../../../storm-compat/multilang/resources')

export interface BoltRun {
  /** Files in the pid directory, and the pid that the child told. */
  readonly pids: { readonly files: readonly string[]; readonly told: unknown }
  readonly messages: readonly Record<string, unknown>[]
  readonly exitCode: number | null
}

/** Ends the child's input after the tuples and resolves when it has ended. */
export async function runBolt(
  command: readonly [string, ...string[]],
  resources: string,
  tuples: readonly object[],
): Promise<BoltRun> {
  const pidDir = mkdtempSync(join(tmpdir(), 'gearpump-pids-'))
  try {
    const [program, ...args] = command
    const path = [process.env.PYTHONPATH, OUR_STORM_PY].filter(Boolean).join(delimiter)
    const child = spawn(program, args, {
      cwd: resources,
      env: { ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const handshake = { conf: {}, pidDir, context: { taskid: 1, componentid: 'bolt' } }
    const input = [handshake, ...tuples].map(m => `${JSON.stringify(m)}\nend\n`).join('')
    child.stdin.end(input)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const messages = output
      .split('\nend\n')
      .filter(text => text !== '')
      .map(text => JSON.parse(text) as Record<string, unknown>)
    const told = messages.shift()?.pid
    return { pids: { files: readdirSync(pidDir), told }, messages, exitCode }
  } finally {
    rmSync(pidDir, { recursive: true })
  }
}

export const heartbeat = { id: 'h', comp: '__system', stream: '__heartbeat', task: -1, tuple: [] }

export function tuple(id: string, ...values: unknown[]) {
  return { id, comp: 'before', stream: 'default', task: 2, tuple: values }
}
