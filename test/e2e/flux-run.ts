// Runs a Flux file of `topologies` by `gear run`, as a user does: a folder of its own with the resources (our scripts and
// the third-party parts asked for) and the input, the last line of stdout as figures, and no process of it left behind.
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { RealPart } from '../real/parts.ts'
import { fromText, toText } from './topologies/components.ts'
import { Turns } from './turns.ts'

const TOPOLOGIES = fileURLToPath(new URL('./topologies', import.meta.url))
const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))

/** A run that takes longer hangs; it is killed and the test fails. */
const HANGS_MS = 60_000

/** Runs at a time over the tests of a file: each is a handful of processes. */
const AT_ONCE = 3

/** Set for `gear` and so for all it starts: what still has it afterwards was left behind. */
const MARK = 'GEARPUMP_TEST_RUN'

export interface Figures {
  readonly emitted: number
  readonly acked: number
  readonly failed: number
  readonly pending: number
  readonly lost: number
  readonly seconds: number
  readonly components: Readonly<
    Record<string, { readonly emitted: number; readonly acked: number; readonly failed: number }>
  >
}

export interface SeenTuple {
  readonly task: number
  readonly stream: string
  readonly values: readonly unknown[]
}

export interface EndedEmit {
  readonly end: 'ack' | 'fail'
  readonly id: number
  readonly ms: number
}

export interface FluxRunOptions {
  /** Tuples for the spout `Given`. */
  readonly given?: readonly (readonly unknown[])[]
  readonly parts?: readonly RealPart[]
  /** For `${…}` in the file; `dir` is the folder of the run. */
  readonly properties?: Readonly<Record<string, string>>
  readonly config?: Readonly<Record<string, unknown>>
  /** Instead of `--until-drained`. */
  readonly args?: readonly string[]
}

export interface FluxRun {
  readonly dir: string
  readonly code: number | null
  readonly figures: Figures
  readonly stderr: string
  /** Most memory that the command's own process had, MB. */
  readonly peakMb: number
  seen(component: string): readonly SeenTuple[]
  ends(spout: string): readonly EndedEmit[]
}

/** A folder that ends with the test. */
export function testDir(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Our scripts and the files of the parts, together: components find their library beside themselves. */
export function resourcesIn(dir: string, parts: readonly RealPart[]): string {
  const resources = join(dir, 'resources')
  mkdirSync(resources)
  for (const from of [join(TOPOLOGIES, 'resources'), ...parts.map(part => part.dir)]) {
    for (const name of readdirSync(from)) {
      if (/\.(py|rb|js|json)$/.test(name)) cpSync(join(from, name), join(resources, name))
    }
  }
  return resources
}

export function topologyFile(name: string): string {
  return join(TOPOLOGIES, `${name}.yaml`)
}

export function giveTuples(dir: string, tuples: readonly (readonly unknown[])[]): void {
  writeFileSync(join(dir, 'given.json'), toText(tuples))
}

export function seenIn(dir: string, component: string): SeenTuple[] {
  return linesOf(join(dir, `seen-${component}`)).map(line => fromText(line) as SeenTuple)
}

export function linesOf(file: string): string[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}

const turns = new Turns(AT_ONCE)

/** Runs topologies/NAME.yaml. Fails the test when it hangs, says no figures, or leaves a process behind. */
export async function runFlux(
  t: ExecutionContext,
  name: string,
  options: FluxRunOptions = {},
): Promise<FluxRun> {
  const dir = testDir(t)
  const resources = resourcesIn(dir, options.parts ?? [])
  giveTuples(dir, options.given ?? [])
  for (const [key, value] of Object.entries({ ...options.properties, dir })) {
    appendFileSync(join(dir, 'properties'), `${key}=${value}\n`)
  }
  const config = Object.entries({ ...options.config, 'test.dir': dir })
  const args = [
    'run',
    topologyFile(name),
    ...(options.args ?? ['--until-drained']),
    '--stats',
    ...['--resources', resources, '--filter', join(dir, 'properties'), '--log-dir', dir],
    ...config.flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`]),
  ]
  const ended = await turns.take(() => gear(args, dir))
  if (process.env.DEBUG_E2E !== undefined)
    process.stderr.write(`--- ${name} ${args.join(' ')}\n${ended.stderr}--- ${ended.code}\n`)
  t.false(ended.hung, `it hung:\n${ended.stderr.slice(-2000)}`)
  t.deepEqual(ended.left, [], 'processes were left behind')
  return {
    dir,
    code: ended.code,
    figures: figuresOf(t, ended.stdout, ended.stderr),
    stderr: ended.stderr,
    peakMb: ended.peakMb,
    seen: component => seenIn(dir, component),
    ends: spout => linesOf(join(dir, `ends-${spout}`)).map(line => JSON.parse(line) as EndedEmit),
  }
}

function figuresOf(t: ExecutionContext, stdout: string, stderr: string): Figures {
  const last = stdout.trimEnd().split('\n').at(-1)!
  t.true(
    last.startsWith('{"emitted":'),
    `no figures at the end of stdout, but: ${last}\n${stderr.slice(-4000)}`,
  )
  return JSON.parse(last) as Figures
}

/** Runs `gear` with arguments and waits for its end. */
export async function gear(args: readonly string[], mark: string) {
  const child = spawn(process.execPath, [GEAR, ...args], {
    env: { ...process.env, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = { stdout: '', stderr: '', hung: false, peakMb: 0 }
  const keep = (key: 'stdout' | 'stderr') => (text: string) => {
    out[key] = (out[key] + text).slice(-OUTPUT_KEPT)
  }
  child.stdout.setEncoding('utf8').on('data', keep('stdout'))
  child.stderr.setEncoding('utf8').on('data', keep('stderr'))
  const hanging = setTimeout(() => {
    out.hung = true
    child.kill('SIGKILL')
  }, HANGS_MS)
  const looking = setInterval(() => {
    out.peakMb = Math.max(out.peakMb, peakMbOf(child.pid!))
  }, 50)
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  clearTimeout(hanging)
  clearInterval(looking)
  const left = await remaining(mark)
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  return { ...out, code, left: left.map(({ command }) => command) }
}

const OUTPUT_KEPT = 4_000_000

/** Processes that were started by the run; those that were killed a moment ago get a moment to go. */
async function remaining(mark: string) {
  let left = markedProcesses(mark)
  const patience = performance.now() + 500
  while (left.length > 0 && performance.now() < patience) {
    await new Promise(resolve => setImmediate(resolve))
    left = markedProcesses(mark)
  }
  return left
}

// Only Linux tells the environment of others; elsewhere nothing is found, and nothing is checked.
function markedProcesses(mark: string): { pid: number; command: string }[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      if (!readProc(name, 'environ').split('\0').includes(`${MARK}=${mark}`)) return []
      return [{ pid: Number(name), command: readProc(name, 'cmdline').replaceAll('\0', ' ') }]
    })
}

function peakMbOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readProc(String(pid), 'status'))?.[1] ?? 0) / 1024
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // It has just ended, or is not ours.
    return ''
  }
}
