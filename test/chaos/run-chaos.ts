// One chaos run: a cluster of three masters and three workers, an application that copies followed files to files, faults by
// the schedule of a seed, and at the end the checks: no line is missing, no process, file or lease is left. Everything is
// undone in every case: stopped processes go on, cables are put back, and what was started is ended by its pid.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterGear, RunningApp } from 'gearpump'
import { HandCluster, loopbackHosts } from '../e2e/cluster/hand-cluster.ts'
import { processesOf } from '../e2e/cluster/processes.ts'
import { copyApp } from './copy-app.ts'
import { leasesOf } from './etcd-look.ts'
import { type Done, Faults } from './faults.ts'
import { countLines, LineFeed } from './lines.ts'
import { Network } from './network.ts'
import { type Fault, schedule } from './schedule.ts'

const MASTERS = 3
const WORKERS = 3
const OPEN_MAX = 300
/** Everything that was cut or killed is found out, replaced and replayed in this time, on a busy machine too. */
const CALM_MAX_MS = 180_000
const GONE_MAX_MS = 15_000
const LOOK_MS = 500

export interface ChaosOptions {
  readonly seed: number
  readonly forMs: number
  readonly etcd: string
  /** Masters and workers in network namespaces, and cut off now and then. */
  readonly network: boolean
  readonly linesPerSecond: number
  /** The directories of a run that failed are left, and said. */
  readonly keep?: boolean
  readonly say: (line: string) => void
  readonly signal?: AbortSignal
}

export interface ChaosResult {
  readonly seed: number
  readonly faults: number
  /** Faults that met nobody. */
  readonly missed: number
  readonly byKind: Readonly<Record<string, number>>
  readonly lines: number
  readonly doubled: number
  /** From the last fault until every line had come out. */
  readonly calmMs: number
  readonly longestSilenceMs: number
  /** Empty = survived. */
  readonly failures: readonly string[]
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const run = new ChaosRun(options)
  try {
    return await run.run()
  } finally {
    await run.close()
  }
}

class ChaosRun {
  readonly #options: ChaosOptions
  readonly #directory = mkdtempSync(join(tmpdir(), 'gearpump-chaos-'))
  readonly #from = join(this.#directory, 'from')
  readonly #to = join(this.#directory, 'to')
  readonly #failures: string[] = []
  readonly #done: Done[] = []
  #network: Network | undefined = undefined
  #cluster: HandCluster | undefined = undefined
  #faults: Faults | undefined = undefined
  #feed: LineFeed | undefined = undefined
  #gear: ClusterGear | undefined = undefined
  #closed = false

  constructor(options: ChaosOptions) {
    this.#options = options
  }

  async run(): Promise<ChaosResult> {
    const { seed, forMs, network, linesPerSecond, say } = this.#options
    const faults = schedule({ seed, forMs, cuts: network })
    say(`seed ${seed}: ${faults.length} faults in ${Math.round(forMs / 1000)} s`)
    const cluster = await this.#startCluster()
    mkdirSync(this.#from)
    this.#feed = new LineFeed(this.#from, linesPerSecond)
    this.#gear = await cluster.connect()
    const input = { from: this.#from, to: this.#to, openMax: OPEN_MAX }
    const app = await this.#gear.submit(copyApp(input), { executors: 3 })
    say('the application runs')
    const silence = new Silence(this.#to, say)
    await this.#inject(faults)
    this.#faults!.heal()
    this.#feed.stop()
    const calmMs = await this.#untilCalm(app)
    silence.stop()
    if (this.#options.keep === true) this.#keepLogs()
    const { missing, doubled, strange } = countLines(this.#to, this.#feed.written)
    if (missing > 0) this.#failures.push(`${missing} lines are missing`)
    if (strange.length > 0) this.#failures.push(`lines nobody wrote: ${strange.join('; ')}`)
    await this.#checkEnd(app)
    return {
      ...{ seed, lines: this.#feed.written, doubled, calmMs },
      ...{ longestSilenceMs: silence.longestMs, failures: this.#failures },
      ...this.#counted(),
    }
  }

  async #startCluster(): Promise<HandCluster> {
    const { etcd, network } = this.#options
    const count = MASTERS + WORKERS
    if (network) this.#network = new Network(count)
    const hosts = this.#network?.hosts ?? loopbackHosts(count)
    const cluster = await HandCluster.start({
      etcd,
      masters: hosts.slice(0, MASTERS),
      workers: hosts.slice(MASTERS),
      settings: {
        'worker.slots': 4,
        'worker.cpu': 4,
        'worker.memoryMb': 4096,
        // The faults are not the application's.
        'restarts.appMasters': 10_000,
        ...(network ? { 'security.insecure': true } : {}),
      },
    })
    this.#cluster = cluster
    this.#faults = new Faults(cluster, this.#network)
    return cluster
  }

  async #inject(faults: readonly Fault[]): Promise<void> {
    const beganMs = performance.now()
    for (const fault of faults) {
      await this.#wait(fault.atMs - (performance.now() - beganMs))
      const done = this.#faults!.inject(fault)
      this.#done.push(done)
      const { kind, role, atMs, forMs } = fault
      const length = forMs > 0 ? ` for ${forMs} ms` : ''
      const what = done.victim ?? `no ${role} there`
      this.#options.say(
        `${(atMs / 1000).toFixed(1).padStart(6)} s  ${kind} ${role}: ${what}${length}`,
      )
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) reject(new Error('interrupted'))
      const stop = () => {
        clearTimeout(timer)
        reject(new Error('interrupted'))
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', stop)
          resolve()
        },
        Math.max(0, ms),
      )
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  // Every line has come out; the application goes by its own account, too.
  async #untilCalm(app: RunningApp): Promise<number> {
    const beganMs = performance.now()
    const { written } = this.#feed!
    const elapsed = () => performance.now() - beganMs
    let said = 'nothing'
    while (elapsed() < CALM_MAX_MS) {
      const { missing } = countLines(this.#to, written)
      if (missing === 0) {
        const calmMs = Math.round(elapsed())
        const pending = await app.figures().then(
          figures => figures.pending,
          error => `unknown: ${(error as Error).message}`,
        )
        if (pending === 0) return calmMs
        said = `pending is ${pending}`
      } else said = `${missing} lines are missing`
      await this.#wait(LOOK_MS)
    }
    this.#failures.push(`no calm ${CALM_MAX_MS / 1000} s after the last fault: ${said}`)
    const info = await app.info().catch((error: Error) => error.message)
    this.#options.say(`the application: ${JSON.stringify(info)?.slice(0, 3000)}`)
    return Math.round(elapsed())
  }

  #keepLogs(): void {
    const { directory } = this.#cluster!
    const copy = `${directory}-kept`
    cpSync(directory, copy, { recursive: true, filter: path => !path.endsWith('.sock') })
    for (const { name, process } of [...this.#cluster!.masters, ...this.#cluster!.workers])
      writeFileSync(join(copy, `${name}.log`), process.output)
    this.#options.say(`what the cluster has written is kept in ${copy}`)
  }

  async #checkEnd(app: RunningApp): Promise<void> {
    const cluster = this.#cluster!
    await app.kill()
    const processes = () => processesOf(cluster.directory).filter(p => !isRole(p.command))
    await this.#soon('processes outlive the application', () => processes().map(p => p.command))
    await this.#soon('files are left in run directories', () => this.#runFiles())
    // Those of masters that were killed or cut off last run out by themselves; an etcd that was killed last comes back.
    await this.#soon(`more leases than ${MASTERS} masters have`, async () => {
      const leases = await leasesOf(`${cluster.masters[0]!.address}:4000`).catch(
        (error: Error) => error.message,
      )
      return typeof leases === 'string' || leases > MASTERS ? [`${leases}`] : []
    })
    for (const { name, ends } of [...cluster.masters, ...cluster.workers])
      for (const end of ends) this.#failures.push(`${name} ended by itself: ${end}`)
    await this.#gear!.close()
    this.#gear = undefined
    await cluster.settled()
    this.#cluster = undefined
    const left = await cluster.close()
    if (left.length > 0)
      this.#failures.push(`outlived the cluster: ${left.map(p => p.command).join('; ')}`)
  }

  #runFiles(): string[] {
    const cluster = this.#cluster!
    return cluster.workers.flatMap(({ name }) => {
      const directory = join(cluster.directoryOf(name), `worker-${name}`, 'run')
      return existsSync(directory) ? readdirSync(directory).map(file => `${name}/${file}`) : []
    })
  }

  async #soon(what: string, look: () => string[] | Promise<string[]>): Promise<void> {
    const beganMs = performance.now()
    for (let left = await look(); left.length > 0; left = await look()) {
      if (performance.now() - beganMs > GONE_MAX_MS) {
        this.#failures.push(`${what}: ${left.join('; ')}`)
        return
      }
      await this.#wait(LOOK_MS)
    }
  }

  #counted() {
    const byKind: Record<string, number> = {}
    let missed = 0
    for (const { fault, victim } of this.#done) {
      const name = `${fault.kind} ${fault.role}`
      if (victim === undefined) missed++
      else byKind[name] = (byKind[name] ?? 0) + 1
    }
    return { faults: this.#done.length - missed, missed, byKind }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#feed?.stop()
    this.#faults?.heal()
    await this.#gear?.close()
    await this.#cluster?.close()
    this.#network?.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

const isRole = (command: string) => /bin\/gear|\/etcd /.test(command)

/** Silences longer than this are told of when they end: the logs say why. */
const LONG_SILENCE_MS = 5000

/** The longest time in which the sink wrote nothing. */
class Silence {
  readonly #timer: NodeJS.Timeout
  longestMs = 0

  constructor(directory: string, say: (line: string) => void) {
    let before = ''
    let sinceMs = performance.now()
    this.#timer = setInterval(() => {
      const now = sizesOf(directory)
      const forMs = Math.round(performance.now() - sinceMs)
      this.longestMs = Math.max(this.longestMs, forMs)
      if (now === before) return
      if (forMs > LONG_SILENCE_MS)
        say(`the sink was silent for ${forMs} ms until ${new Date().toISOString()}`)
      before = now
      sinceMs = performance.now()
    }, 100)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function sizesOf(directory: string): string {
  if (!existsSync(directory)) return ''
  return readdirSync(directory)
    .map(name => `${name}:${statSync(join(directory, name)).size}`)
    .join()
}
