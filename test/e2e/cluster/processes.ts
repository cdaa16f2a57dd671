// Processes of a cluster, started as users start them: `bin/gear` of the build. Whatever a test starts here is ended by
// its pid, and what they started in their turn is found by the mark that they inherit.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

export const GEAR = fileURLToPath(new URL('../../../bin/gear', import.meta.url))
export const STORM = fileURLToPath(new URL('../../../bin/storm', import.meta.url))

/** A `gear` process that is told to end at the end of the test, and its output so far. */
export class GearProcess {
  readonly child: ChildProcess
  output = ''
  readonly exited: Promise<number | string>

  /** `through` is the beginning of the command line, such as `ip netns exec NAME`; it must exec what follows. `entry` is `gear` if not given. */
  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    through: readonly string[] = [],
    command = GEAR,
  ) {
    const [program, ...rest] = [...through, process.execPath, command, ...args]
    this.child = spawn(program!, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        this.output += text
      })
    }
    this.exited = new Promise(resolve => {
      this.child.once('close', (code, signal) => resolve(signal ?? code ?? -1))
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Resolves with the match once the output has it; rejects when the process ends without. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.output)
        if (match === null) return
        this.child.stderr!.off('data', look)
        this.child.stdout!.off('data', look)
        resolve(match)
      }
      this.child.stderr!.on('data', look)
      this.child.stdout!.on('data', look)
      void this.exited.then(how =>
        reject(new Error(`ended (${how}) without saying ${pattern}:\n${this.output}`)),
      )
      look()
    })
  }

  async end(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.exited
  }
}

/** Runs a `gear` command to its end. */
export async function gear(
  ...args: readonly string[]
): Promise<{ exit: number | string; output: string }> {
  const run = new GearProcess(args)
  return { exit: await run.exited, output: run.output }
}

/** A private directory, gone at the end of the test, and a check that no process with data in it outlives the test. */
export function privateDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-cluster-'))
  t.teardown(() => {
    const left = processesOf(directory)
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    rmSync(directory, { recursive: true, force: true })
    if (left.length > 0) throw new Error(`outlived the cluster: ${JSON.stringify(left)}`)
  })
  return directory
}

/** Processes that have the directory in their environment or on their command line. */
export function processesOf(directory: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ')
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1')
      if (command.includes(directory) || environment.includes(directory))
        found.push({ pid: Number(name), command: command.slice(0, 120) })
    } catch {
      // It has ended since.
    }
  }
  return found
}

/** `gear local` with its data in a private directory; gives the address of its master. */
export async function localCluster(
  t: ExecutionContext,
  args: readonly string[] = [],
): Promise<{ master: string; process: GearProcess; directory: string }> {
  const directory = privateDirectory(t)
  const run = new GearProcess(['local', '--port', '0', '--host.dataDir', directory, ...args])
  t.teardown(() => run.end())
  const [, master] = await run.says(/a cluster runs at (\S+)/)
  return { master: master!, process: run, directory }
}
