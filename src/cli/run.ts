// `gear run FILE`: loads, submits, waits for the end, drains, kills, tells. Whatever happens (Ctrl-C, an error nobody
// caught, an executor that does not answer), it ends in bounded time, and nothing of the run is left but its log files.

import { resolve } from 'node:path'
import type { RunFigures } from '../app/figures.ts'
import type { EngineError } from '../base/errors.ts'
import { connect } from '../client/connect.ts'
import type { Gear, RunningApp, SubmitOptions } from '../client/gear.ts'
import { type LoadedProgram, loadProgram } from '../client/program-file.ts'
import {
  type Ending,
  EXIT_FAILED,
  EXIT_OK,
  endingSentence,
  errorExitCode,
  exitCode,
} from './ending.ts'
import { Interrupts } from './interrupts.ts'
import { LiveTable } from './live-table.ts'
import { RunPlace } from './run-place.ts'
import { type ClusterRequest, programOptions, type RunRequest } from './run-request.ts'
import { statsLine } from './stats-line.ts'
import { statsTable } from './stats-table.ts'
import { canRedraw, type NodeStream, WatchedStream, wantsColour } from './terminal.ts'
import { neverLoaded, neverStarted, unlessStuck } from './unsettled.ts'
import type { Voice } from './voice.ts'

/** After `--for`, what is open may end within this time, or the message timeout if that is shorter. */
const DRAIN_MAX_MS = 5000
/** After Ctrl-C what is open may end for longer than any root lives: two message timeouts, or this where there is none. */
const DRAIN_AFTER_CTRL_C_MS = 600_000
/** Node's timers fire at once when asked for more than 24.8 days, and others are added to this. */
const DRAIN_MOST_MS = 20 * 24 * 3_600_000
/** An executor that does not answer is not waited for longer. */
const FIGURES_MAX_MS = 2000
/** Longer than the engine itself allows a closing executor; after a second Ctrl-C nobody wants to wait. */
const CLOSE_MAX_MS = 12_000
const CLOSE_AT_ONCE_MS = 1000
const LEFT_PERIOD_MS = 5000

export interface Terminal {
  readonly stdout: NodeStream
  readonly stderr: NodeStream
  readonly env: NodeJS.ProcessEnv
}

/** Runs a file; gives the exit code. */
export async function runFile(
  request: RunRequest,
  terminal: Terminal,
  voice: Voice,
): Promise<number> {
  let run: Run | undefined
  try {
    run = new Run(request, terminal, voice)
    return await run.go()
  } catch (error) {
    voice.error(error)
    return errorExitCode(error)
  } finally {
    run?.close()
  }
}

class Run {
  readonly #request: RunRequest
  readonly #terminal: Terminal
  readonly #voice: Voice
  readonly #interrupts = new Interrupts()
  readonly #place: RunPlace
  readonly #stdout: WatchedStream
  #timers: NodeJS.Timeout[] = []

  constructor(request: RunRequest, terminal: Terminal, voice: Voice) {
    this.#request = request
    this.#terminal = terminal
    this.#voice = voice
    this.#place = new RunPlace(request.cluster === undefined ? request.logDir : false)
    this.#stdout = new WatchedStream(terminal.stdout)
  }

  async go(): Promise<number> {
    const { stats, executors } = this.#request
    const voice = this.#voice
    const loaded = await this.#unlessInterrupted(
      loadProgram(programOptions(this.#request, this.#place)),
      () => neverLoaded(this.#request.file),
    )
    if (loaded === undefined) return EXIT_FAILED
    for (const notice of loaded.notices) voice.warn(notice)
    const { cluster } = this.#request
    if (cluster === undefined) this.#sayLogDir()
    const gear = await this.#connect()
    let app: RunningApp | undefined
    let end: { ending: Ending; figures: RunFigures | undefined; elapsedMs: number } | undefined
    try {
      const { application } = loaded
      const options = { executors, ...(await placementOf(cluster)) }
      app = await this.#unlessInterrupted(gear.submit(application, options), neverStarted)
      if (app === undefined) return EXIT_FAILED
      if (cluster !== undefined) {
        voice.say(`application ${app.id} "${app.name}" runs`)
        if (!hasEnd(this.#request)) return EXIT_OK
      }
      end = await this.#watch(app, loaded)
      if (cluster !== undefined) await app.kill()
    } finally {
      await this.#closeGear(gear, end?.ending)
    }
    voice.say(endingSentence(end))
    this.#endProcesses()
    if (stats === true) await this.#tellStats(end.figures, end.elapsedMs)
    return exitCode(end)
  }

  async #connect(): Promise<Gear> {
    const { cluster } = this.#request
    const { log } = this.#voice
    const processes = {
      directory: this.#place.runDir,
      onStdoutGone: this.#interrupts.stdoutGone,
    }
    if (cluster === undefined) return connect({ log, processes })
    const { openGear } = await import('./cluster-options.ts')
    return openGear(cluster, this.#voice)
  }

  #sayLogDir(): void {
    const { logDir, ownLogDir } = this.#place
    const remark = ownLogDir ? ' (goes if none are written)' : ''
    this.#voice.say(`log files of components: ${logDir}${remark}`)
  }

  /** Undefined: a signal came first. Rejects for what nobody caught. */
  async #unlessInterrupted<T>(work: Promise<T>, stuck: () => EngineError): Promise<T | undefined> {
    const { crashed } = this.#interrupts
    const interrupted = this.#interrupts.next().then(() => undefined)
    const first = await Promise.race([unlessStuck(work, stuck), interrupted, crashed])
    if (this.#interrupts.count === 0) return first
    this.#voice.say('ended before it had begun')
    return undefined
  }

  // ---- while it runs

  async #watch(app: RunningApp, loaded: LoadedProgram) {
    const startedMs = performance.now()
    const live = this.#liveTable(app)
    let ending: Ending
    try {
      ending = await this.#untilEnd(app)
      if (ending === 'time' || ending === 'interrupted') {
        ending = await this.#drain(app, ending, loaded.application.profile.timeoutMs)
      }
    } catch (error) {
      ending = 'failed'
      live?.close()
      this.#voice.error(error)
    }
    const figures = await this.#lastFigures(app)
    live?.close()
    return { ending, figures, elapsedMs: performance.now() - startedMs }
  }

  #untilEnd(app: RunningApp): Promise<Ending> {
    const { untilDrained, idle, for: forMs } = this.#request
    const ends: Promise<Ending>[] = [
      app.failure,
      this.#interrupts.crashed,
      this.#interrupts.next().then(() => 'interrupted' as const),
    ]
    if (untilDrained === true || idle !== undefined) {
      const drained = app.drained(idle === undefined ? {} : { idleMs: idle })
      ends.push(drained.then(() => 'drained' as const))
    }
    if (forMs !== undefined) ends.push(this.#after(forMs).then(() => 'time' as const))
    if (this.#interrupts.count > 0) ends.push(Promise.resolve('interrupted'))
    return Promise.race(ends)
  }

  async #drain(app: RunningApp, why: 'time' | 'interrupted', timeoutMs: number): Promise<Ending> {
    const longest =
      timeoutMs > 0 ? Math.min(2 * timeoutMs + 1000, DRAIN_MOST_MS) : DRAIN_AFTER_CTRL_C_MS
    const boundMs =
      why === 'time' ? Math.min(DRAIN_MAX_MS, timeoutMs > 0 ? timeoutMs : Infinity) : longest
    const counted = why === 'interrupted' ? 1 : 0
    if (why === 'interrupted') await this.#sayDraining(app)
    if (this.#interrupts.count > counted) return 'cut'
    // The app's own bound, and one more for an executor that does not even answer.
    return Promise.race([
      app.drain(boundMs).then(() => why),
      this.#after(boundMs + FIGURES_MAX_MS).then(() => why),
      this.#interrupts.next().then(() => 'cut' as const),
      app.failure,
      this.#interrupts.crashed,
    ])
  }

  async #sayDraining(app: RunningApp): Promise<void> {
    const say = async () => {
      const open = (await this.#lastFigures(app))?.pending ?? 0
      this.#voice.say(`draining, ${open} open; press Ctrl-C again to end`)
    }
    const again = setInterval(() => void say().catch(() => clearInterval(again)), LEFT_PERIOD_MS)
    this.#timers.push(again)
    await Promise.race([say(), this.#interrupts.next()])
  }

  // ---- figures

  #lastFigures(app: RunningApp): Promise<RunFigures | undefined> {
    const late = this.#after(FIGURES_MAX_MS).then(() => undefined)
    return Promise.race([app.figures().catch(() => undefined), late])
  }

  #liveTable(app: RunningApp): LiveTable | undefined {
    const { stats, json } = this.#request
    const { stdout, stderr, env } = this.#terminal
    if (stats !== true || json === true || !canRedraw(stderr, env)) return undefined
    return new LiveTable({
      stderr,
      stdout: stdout.isTTY === true ? this.#stdout : undefined,
      colour: wantsColour(stderr, env),
      figures: () => app.figures(),
    })
  }

  // To people a table, and to programs one line, the last one.
  async #tellStats(figures: RunFigures | undefined, elapsedMs: number): Promise<void> {
    if (figures === undefined) return
    const { stdout, stderr, env } = this.#terminal
    if (stdout.isTTY === true || (stderr.isTTY === true && this.#request.json !== true)) {
      const lines = statsTable({
        figures,
        before: undefined,
        periodMs: elapsedMs,
        columns: stderr.columns || Infinity,
        rows: Infinity,
        colour: wantsColour(stderr, env),
      })
      stderr.write(`\n${lines.join('\n')}\n`)
    }
    if (stdout.isTTY === true) return
    const begin = this.#stdout.endsLine ? '' : '\n'
    await this.#stdout.write(`${begin}${statsLine(figures, elapsedMs)}\n`)
  }

  // ---- the end

  async #closeGear(gear: Gear, ending: Ending | undefined): Promise<void> {
    const hurried = ending === 'cut' || (ending === undefined && this.#interrupts.count > 0)
    const late = this.#after(hurried ? CLOSE_AT_ONCE_MS : CLOSE_MAX_MS)
    await Promise.race([gear.close(), late, ...(hurried ? [] : [this.#interrupts.next()])])
  }

  #endProcesses(): void {
    const ended = this.#place.close()
    if (ended.length > 0) this.#voice.warn(`ended processes that were left: ${ended.join(' ')}`)
  }

  #after(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#timers.push(setTimeout(resolve, delayMs))
    })
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#stdout.restore()
    this.#place.close()
    this.#interrupts.close()
  }
}

// Whether somebody waits for it; without, it is left to the cluster.
function hasEnd({ untilDrained, idle, for: forMs, stats }: RunRequest): boolean {
  return untilDrained === true || idle !== undefined || forMs !== undefined || stats === true
}

// What was said on the command line wins over the file of settings.
async function placementOf(cluster: ClusterRequest | undefined): Promise<SubmitOptions> {
  if (cluster === undefined) return {}
  const { applicationSettings } = await import('./cluster-options.ts')
  const { cpu, memoryMb, strategy, label, bundle } = cluster
  const settings = await applicationSettings(cluster.settings)
  const labels = label?.map(text => text.split('=', 2) as [string, string])
  return {
    ...settings,
    each: {
      ...settings.each,
      ...(cpu === undefined ? {} : { cpu }),
      ...(memoryMb === undefined ? {} : { memoryMb }),
    },
    ...(strategy === undefined ? {} : { strategy }),
    ...(labels === undefined ? {} : { labels: Object.fromEntries(labels) }),
    ...(bundle === undefined ? {} : { bundle: resolve(bundle) }),
  }
}
