// `gear app …`, `gear worker list`, `gear master info`: questions to a cluster, as tables or as JSON.
import type { Command } from 'commander'
import { stallText } from '../app/stall-watch.ts'
import { EngineError } from '../base/errors.ts'
import type { Level } from '../base/log.ts'
import type { AppInfo, ClusterGear } from '../client/gear.ts'
import { addressText } from '../transport/link.ts'
import { openGear, queryCommand } from './cluster-options.ts'
import { parseDuration, showDuration } from './durations.ts'
import { EXIT_FAILED, EXIT_OK, errorExitCode } from './ending.ts'
import { type Cell, listText, tableText } from './tables.ts'
import { Voice } from './voice.ts'

interface Flags {
  readonly master?: string
  readonly settings?: string
  readonly json?: boolean
  readonly logLevel: Level
}

type SetExit = (code: number) => void

/** Asks a cluster, and writes the answer: `text` for people, the value itself with --json. */
async function ask<T>(
  flags: Flags,
  question: (gear: ClusterGear) => Promise<T>,
  text: (answer: T) => string,
): Promise<number> {
  const { logLevel, json } = flags
  const voice = new Voice({ command: 'gear', stderr: process.stderr, level: logLevel, json: false })
  let gear: ClusterGear | undefined
  try {
    gear = await openGear(flags, voice)
    const answer = await question(gear)
    process.stdout.write(json === true ? `${JSON.stringify(answer ?? null)}\n` : text(answer))
    return EXIT_OK
  } catch (error) {
    voice.error(error)
    return errorExitCode(error)
  } finally {
    await gear?.close()
  }
}

// An id is a number; a name may look like one only if it is no id.
function wanted(app: string): number | string {
  return /^\d+$/.test(app) ? Number(app) : app
}

export function appCommands(setExit: SetExit): Command[] {
  return [
    queryCommand('list', 'lists applications').action(async (flags: Flags) =>
      setExit(await ask(flags, gear => gear.list(), appTable)),
    ),
    queryCommand('info', 'shows one application')
      .argument('<APP>', 'id or name')
      .action(async (app: string, flags: Flags) =>
        setExit(await ask(flags, gear => gear.info(wanted(app)), infoText)),
      ),
    queryCommand('kill', 'ends an application at once; what is unfinished is left')
      .argument('<APP>', 'id or name')
      .action(async (app: string, flags: Flags) =>
        setExit(
          await ask(
            flags,
            gear => gear.kill(wanted(app)),
            () => `${app} is killed\n`,
          ),
        ),
      ),
    queryCommand('restart', 'kills an application and submits the same again')
      .argument('<APP>', 'id or name')
      .action(async (app: string, flags: Flags) =>
        setExit(
          await ask(
            flags,
            gear => gear.restart(wanted(app)),
            id => `${app} runs again, as application ${id}\n`,
          ),
        ),
      ),
    queryCommand('drain', 'pauses the sources, waits until all is done, and ends the application')
      .argument('<APP>', 'id or name')
      .option('--for <time>', 'wait no longer than this', '60s')
      .action(async (app: string, flags: Flags & { for: string }) =>
        setExit(await drain(app, flags)),
      ),
  ]
}

async function drain(app: string, flags: Flags & { for: string }): Promise<number> {
  let left = 0
  const exit = await ask(
    flags,
    async gear => {
      const ms = parseDuration(flags.for)
      if (typeof ms === 'string') throw new EngineError('BAD_INPUT', ms)
      const running = await gear.app(wanted(app))
      left = await running.drain(ms)
      await running.kill()
      return { left }
    },
    () => `${app} has ended, ${left} roots were left open\n`,
  )
  return exit === EXIT_OK && left > 0 ? EXIT_FAILED : exit
}

export function workerListCommand(setExit: SetExit): Command {
  return queryCommand('list', 'lists the workers of a cluster').action(async (flags: Flags) =>
    setExit(
      await ask(
        flags,
        gear => gear.workers(),
        workers =>
          tableText(
            ['WORKER', 'HOST', 'STATE', 'PID', 'SLOTS', 'CPU', 'MEMORY MB', 'LABELS', 'RUNS'],
            workers.map(w => [
              w.id,
              w.host,
              w.state,
              w.pid,
              `${w.slotsUsed}/${w.slots}`,
              `${w.cpuUsed}/${w.cpu}`,
              `${w.memoryMbUsed}/${w.memoryMb}`,
              Object.entries(w.labels)
                .map(([name, value]) => `${name}=${value}`)
                .join(' '),
              w.processes
                .map(p => (p.executor === 0 ? `${p.app}:app-master` : `${p.app}:${p.executor}`))
                .join(' '),
            ]),
          ),
      ),
    ),
  )
}

export function masterInfoCommand(setExit: SetExit): Command {
  return queryCommand('info', 'shows the masters of a cluster').action(async (flags: Flags) =>
    setExit(
      await ask(
        flags,
        gear => gear.master(),
        m =>
          listText([
            ['leader', `${m.name} (pid ${m.pid}, ${m.rssMb} MB)`],
            ['leads for', showDuration(Date.now() - m.leaderSinceMs)],
            ['store', m.store],
            ['version', m.version],
            ['masters', m.masters.map(o => `${addressText(o.address)} ${o.state}`).join(', ')],
            ['workers', m.workers],
            ['applications', m.apps],
          ]),
      ),
    ),
  )
}

function appTable(apps: Awaited<ReturnType<ClusterGear['list']>>): string {
  const now = Date.now()
  return tableText(
    ['ID', 'NAME', 'STATUS', 'EXECUTORS', 'APP MASTER', 'FOR'],
    apps.map(app => [
      app.id,
      app.name,
      app.status,
      app.executors,
      app.appMaster,
      showDuration((app.endedMs ?? now) - (app.submittedMs ?? now)),
    ]),
  )
}

function infoText(info: AppInfo): string {
  const { cluster, figures } = info
  const head: [string, Cell][] = [
    ['application', `${info.id} "${info.name}"`],
    ['status', info.status],
    [
      'app master',
      `${cluster?.appMaster ?? 'none at the moment'} (number ${cluster?.incarnation})`,
    ],
    ['clock', info.clockUs === 0 ? undefined : new Date(info.clockUs / 1000).toISOString()],
    ['emitted', figures.emitted],
    ['acked', figures.acked],
    ['failed', figures.failed],
    ['pending', figures.pending],
    ['lost', figures.lost],
  ]
  if (info.restarts > 0) head.push(['restarts', `${info.restarts} of one executor in the window`])
  if (cluster?.waiting !== undefined) head.push(['waits for', cluster.waiting])
  if (info.stall !== undefined) head.push(['stall', `the app clock ${stallText(info.stall)}`])
  if (cluster?.failure !== undefined) head.push(['failure', cluster.failure.message])
  const parts = [listText(head)]
  if (info.executors.length > 0)
    parts.push(
      tableText(
        ['EXECUTOR', 'WORKER', 'PID', 'TASKS'],
        info.executors.map(e => [e.id, e.where, e.pid, shortList(e.tasks)]),
      ),
    )
  const components = Object.entries(figures.components)
  if (components.length > 0)
    parts.push(
      tableText(
        ['COMPONENT', 'TASKS', 'EMITTED', 'RECEIVED', 'ACKED', 'FAILED', 'IN FLIGHT'],
        components.map(([name, c]) => [
          name,
          c.tasks,
          c.emitted,
          c.received,
          c.acked,
          c.failed,
          c.inFlight,
        ]),
      ),
    )
  const metrics = metricRows(info)
  if (metrics.length > 0) parts.push(tableText(['COMPONENT', 'FIGURE', 'VALUE'], metrics))
  const deaths = [
    ...(cluster?.deaths ?? []),
    ...info.deaths.map(d => ({
      timeMs: d.timeMs,
      what: `executor ${d.executor}`,
      reason: d.reason,
    })),
  ].sort((a, b) => a.timeMs - b.timeMs)
  if (deaths.length > 0)
    parts.push(
      tableText(
        ['DIED AT', 'WHAT', 'REASON'],
        deaths.map(d => [new Date(d.timeMs).toISOString(), d.what, d.reason.split('\n')[0]]),
      ),
    )
  return parts.join('\n')
}

function metricRows({ metrics = {} }: AppInfo): Cell[][] {
  return Object.entries(metrics).flatMap(([component, of]) =>
    Object.entries(of).map(([name, value]) => [
      component,
      name,
      typeof value === 'number' ? value : numbersText(value),
    ]),
  )
}

/** The greatest of them; `--json` has all. */
function numbersText(numbers: Readonly<Record<string, number>>): string {
  const entries = Object.entries(numbers).sort((a, b) => b[1] - a[1])
  const shown = entries.slice(0, 6).map(([key, value]) => `${key} ${value}`)
  return shown.join(', ') + (entries.length > shown.length ? ` … (${entries.length})` : '')
}

function shortList(tasks: readonly number[]): string {
  return tasks.length > 12 ? `${tasks.slice(0, 12).join(' ')} … (${tasks.length})` : tasks.join(' ')
}
