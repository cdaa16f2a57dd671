// kill -9 of children and of executors, taking turns, in one run of a bounded reliable spout: no number may be missing at
// the end, and none may have come more often than it was emitted.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { AppInfo, Application } from 'gearpump'
import {
  ARRIVED,
  boltKilledApp,
  EMITS,
  POSITION,
  RELAY,
  SPOUT,
  spoutKilledApp,
} from '../apps/killed.ts'
import { Findings } from '../findings.ts'
import { pause } from '../flow.ts'
import { type LoadRun, summary, underLoad } from '../load-run.ts'

export interface KillSize {
  /** Of each kind. */
  readonly kills: number
  readonly numbersPerKill: number
}

const EXECUTORS = 3
/** Longest wait for one kill's victim and its successor, and for the rest of the numbers after the last. */
const KILL_WAIT_MS = 60_000
const END_WAIT_MS = 300_000

/** The children of a bolt, and the executors without the spout. */
export async function boltKills({ kills, numbersPerKill }: KillSize): Promise<Findings> {
  const findings = new Findings()
  const count = 2 * kills * numbersPerKill
  await underLoad(
    dir => boltKilledApp({ dir, count }),
    { executors: EXECUTORS },
    async run => {
      const spoutTask = taskOf(boltKilledApp({ dir: run.dir, count }), SPOUT)
      const done = async () => (await run.app.figures()).acked
      for (let kill = 1; kill <= 2 * kills; kill++) {
        await wait(
          run,
          `number ${due(kill, numbersPerKill)} is done`,
          async () => (await done()) >= due(kill, numbersPerKill),
        )
        if (kill % 2 === 0) await killChild(run, RELAY)
        else
          await killExecutor(run, info => info.executors.filter(e => !e.tasks.includes(spoutTask)))
      }
      await wait(run, 'every number is done', async () => (await done()) === count, END_WAIT_MS)
      await check(run, findings, { count, kills })
    },
  )
  return findings
}

/** The spout's own child and executor. */
export async function spoutKills({ kills, numbersPerKill }: KillSize): Promise<Findings> {
  const findings = new Findings()
  const count = 2 * kills * numbersPerKill
  await underLoad(
    dir => spoutKilledApp({ dir, count }),
    { executors: EXECUTORS },
    async run => {
      const spoutTask = taskOf(spoutKilledApp({ dir: run.dir, count }), SPOUT)
      const done = async () => positionOf(run)
      for (let kill = 1; kill <= 2 * kills; kill++) {
        await wait(
          run,
          `number ${due(kill, numbersPerKill)} is done`,
          async () => (await done()) >= due(kill, numbersPerKill),
        )
        if (kill % 2 === 0) await killChild(run, SPOUT)
        else
          await killExecutor(run, info => info.executors.filter(e => e.tasks.includes(spoutTask)))
      }
      await wait(run, 'every number is done', async () => (await done()) === count, END_WAIT_MS)
      await check(run, findings, { count, kills })
    },
  )
  return findings
}

// Half of the numbers for the time of the kills, the other half after them: the position only grows as fast as things
// recover, so that each kill meets a run that goes.
function due(kill: number, numbersPerKill: number): number {
  return Math.floor(kill * numbersPerKill * 0.5)
}

function taskOf(application: Application, name: string): number {
  return application.dag.processors.find(processor => processor.name === name)!.tasks[0]!
}

function positionOf(run: LoadRun): number {
  return run.has(POSITION) ? Number(readFileSync(run.file(POSITION), 'utf8')) : 0
}

async function wait(
  run: LoadRun,
  what: string,
  ask: () => Promise<boolean>,
  timeoutMs = KILL_WAIT_MS,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await ask())) {
    if (performance.now() > deadlineMs) {
      const { figures, executors, deaths } = await run.app.info()
      const state = `${summary(figures)}; executors ${JSON.stringify(executors)}; ${deaths.length} deaths`
      throw new Error(`waited ${timeoutMs} ms in vain until ${what}: ${state}`)
    }
    await Promise.race([pause(10), run.app.failure])
  }
}

async function killExecutor(
  run: LoadRun,
  choose: (info: AppInfo) => readonly AppInfo['executors'][number][],
): Promise<void> {
  let victim: AppInfo['executors'][number] | undefined
  await wait(run, 'there is an executor to kill', async () => {
    const running = choose(await run.app.info()).filter(executor => executor.pid !== undefined)
    victim = running[Math.floor(Math.random() * running.length)]
    return victim !== undefined
  })
  process.kill(victim!.pid!, 'SIGKILL')
  await wait(run, 'the executor was replaced', async () =>
    (await run.app.info()).executors.every(e => e.id !== victim!.id && e.pid !== undefined),
  )
}

async function killChild(run: LoadRun, component: string): Promise<void> {
  let victim: number | undefined
  await wait(run, `there is a child of ${component} to kill`, async () => {
    const pids = childrenOf(run, component)
    victim = pids[Math.floor(Math.random() * pids.length)]
    return victim !== undefined
  })
  process.kill(victim!, 'SIGKILL')
  await wait(run, 'another child is there', async () =>
    childrenOf(run, component).some(pid => pid !== victim),
  )
}

// Each child has an empty file named after its pid.
function childrenOf(run: LoadRun, component: string): number[] {
  const pids = run.file('pids')
  return readdirSync(pids)
    .filter(name => name.startsWith(`${component}-`))
    .flatMap(name => readdirSync(`${pids}/${name}`))
    .map(Number)
    .filter(isPython)
}

// The file of a child that died with its executor is left behind, and the system may give its pid to another.
function isPython(pid: number): boolean {
  if (!(pid > 0)) return false
  const command = `/proc/${pid}/cmdline`
  try {
    if (existsSync('/proc/self')) return readFileSync(command, 'utf8').includes('.py')
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function countLines(file: string): Map<number, number> {
  const counts = new Map<number, number>()
  for (const line of readFileSync(file, 'utf8').split('\n'))
    if (line !== '') counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1)
  return counts
}

async function check(
  run: LoadRun,
  findings: Findings,
  { count, kills }: { count: number; kills: number },
): Promise<void> {
  const { figures, deaths } = await run.app.info()
  await run.gear.close()
  const emits = countLines(run.file(EMITS))
  const arrived = countLines(run.file(ARRIVED))
  const total = (counts: Map<number, number>) => [...counts.values()].reduce((a, b) => a + b, 0)
  const unexplained = [...arrived].filter(([n, times]) => times > (emits.get(n) ?? 0))
  findings.note('numbers', count)
  findings.note('kills', 2 * kills)
  findings.note('emits', total(emits))
  findings.note('arrivals', total(arrived))
  findings.atMost('missing', count - arrived.size, 0)
  findings.atMost('unexplained', unexplained.length, 0)
  findings.atMost('unresolved', figures.unresolved, 0)
  findings.expect(deaths.length === kills, `${deaths.length} deaths of executors, ${kills} kills`)
  const { emitted, acked, failed, pending, lost } = figures
  findings.note('failed', failed)
  findings.note('lost', lost)
  findings.expect(
    emitted === acked + failed + pending + lost,
    `roots do not add up: ${summary(figures)}`,
  )
}
