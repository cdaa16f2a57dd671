// Applications in a cluster, behind the same interface as those in this process: talks to whichever master leads. An
// application travels as a bundle (its directory, zip or jar) and the name of its code in there.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActorRef } from '../actor/actor.ts'
import { ActorSystem } from '../actor/actor-system.ts'
import type { AppReport } from '../app/app-report.ts'
import type { Application } from '../app/application.ts'
import type { RunFigures } from '../app/figures.ts'
import type { Environment } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import { log as say } from '../base/log.ts'
import { makeBundle } from '../cluster/bundle.ts'
import { bundleRootOf, makePortable } from '../cluster/code-shipping.ts'
import { masterAddress } from '../cluster/master-address.ts'
import { MasterLink } from '../cluster/master-link.ts'
import { type AppRecord, type BundleRef, GEAR, type GearDoor } from '../cluster/messages.ts'
import { settingsTable } from '../cluster/settings-table.ts'
import type { BundleLimits } from '../cluster/zip-format.ts'
import { SocketTransport } from '../transport/socket-transport.ts'
import { ClusterNotes, sendBlob } from './cluster-notes.ts'
import type { ClusterOptions } from './connect.ts'
import type { AppInfo, AppState, ClusterGear, RunningApp, SubmitOptions } from './gear.ts'
import { DEFAULT_IDLE_MS, untilQuiet } from './until-quiet.ts'

/** A change of leaders takes up to 8 s, and a call may meet one. */
const CALL_MS = 15_000
const SUBMIT_TIMEOUT_MS = 60_000
/** Closing executors may take 8 s each, all at once, and their workers a little more. */
const KILL_TIMEOUT_MS = 30_000
/** Resting takes up to 12 s, closing 8 s, and then executors start. */
const REBALANCE_MS = 180_000
const LOOK_MS = 200
const DEFAULT_EACH = {
  cpu: settingsTable['executor.cpu'].default,
  memoryMb: settingsTable['executor.memoryMb'].default,
}
const DEFAULT_RESTARTS = {
  executors: settingsTable['restarts.executors'].default,
  windowMs: settingsTable['restarts.windowMs'].default,
}

interface Parts {
  readonly environment: Environment
  readonly link: MasterLink<GearDoor>
  readonly bundleLimits: BundleLimits | undefined
}

export class RemoteGear implements ClusterGear {
  readonly notes: ClusterNotes
  readonly #parts: Parts
  readonly #system: ActorSystem

  private constructor(system: ActorSystem, parts: Parts) {
    this.#system = system
    this.#parts = parts
    this.notes = new ClusterNotes(ask => this.#ask(ask))
  }

  /** Throws NO_MASTER, with what each said, when nobody leads. */
  static async open(
    options: ClusterOptions & Required<Pick<ClusterOptions, 'environment' | 'log'>>,
  ): Promise<RemoteGear> {
    const { environment, log, masters, token, tls, bundleLimits } = options
    const transport = new SocketTransport({
      kind: 'tcp',
      ...(tls === undefined ? {} : { tls }),
    })
    if (token !== undefined && tls === undefined)
      say(
        log,
        'warn',
        'client',
        'the token is not shown: without TLS everybody on the way could read it',
      )
    const credentials = token === undefined || tls === undefined ? {} : { token }
    const system = new ActorSystem({ environment, log, name: 'client', transport, credentials })
    const link = new MasterLink<GearDoor>({
      system,
      environment,
      masters: masters.map(masterAddress),
      door: GEAR,
    })
    try {
      await link.call(CALL_MS, leader => leader.ask('leader'))
    } catch (error) {
      await system.close()
      throw error
    }
    return new RemoteGear(system, { environment, link, bundleLimits })
  }

  #ask<T>(what: (leader: ActorRef<GearDoor>) => Promise<T>): Promise<T> {
    return this.#parts.link.call(CALL_MS, what)
  }

  async submit(application: Application, options: SubmitOptions = {}): Promise<RunningApp> {
    const { code, name } = application
    if (code === undefined) {
      throw new EngineError('BAD_INPUT', `application "${name}" cannot run in a cluster`, {
        hint: 'other processes must be able to load it: run it from a file, or give `code` to application()',
      })
    }
    const root = options.bundle ?? (await bundleRootOf(fileOf(code)))
    const portable = await makePortable(code, { root, keep: ownWords(code.input) })
    const bundle = portable.needsBundle ? await this.#upload(root) : undefined
    const requestId = randomBytes(16).toString('hex')
    const { executors = 1, active = true, each = {}, strategy, labels, tag, credentials } = options
    const { restarts = DEFAULT_RESTARTS } = options
    const id = await this.#parts.link.call(CALL_MS, leader =>
      leader.within(SUBMIT_TIMEOUT_MS).ask('submit', {
        name,
        requestId,
        bundle,
        code: portable,
        placement: {
          executors,
          each: { ...DEFAULT_EACH, ...each },
          ...(strategy === undefined ? {} : { strategy }),
          ...(labels === undefined ? {} : { labels }),
        },
        active,
        restarts,
        ...(tag === undefined ? {} : { tag }),
        ...(credentials === undefined ? {} : { credentials }),
      }),
    )
    const app = new RemoteApp(this.#parts, id, name)
    await app.started()
    return app
  }

  async #upload(root: string): Promise<BundleRef> {
    const directory = await mkdtemp(join(tmpdir(), 'gearpump-bundle-'))
    const { bundleLimits: limits } = this.#parts
    try {
      const { file, hash, sizeBytes } = await makeBundle(root, {
        out: join(directory, 'bundle.zip'),
        ...(limits === undefined ? {} : { limits }),
      })
      await sendBlob(file, { hash, sizeBytes }, ask => this.#ask(ask))
      return { hash, sizeBytes }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  list() {
    return this.#ask(leader => leader.ask('list'))
  }

  async info(app: number | string): Promise<AppInfo> {
    return (await this.app(app)).info()
  }

  async app(app: number | string): Promise<RunningApp> {
    const record = await this.#ask(leader => leader.ask('find', app))
    return new RemoteApp(this.#parts, record.id, record.submission.name)
  }

  kill(app: number | string): Promise<void> {
    return killed(this.#parts, app)
  }

  restart(app: number | string): Promise<number> {
    const requestId = randomBytes(16).toString('hex')
    return this.#ask(leader => leader.within(KILL_TIMEOUT_MS).ask('restart', app, requestId))
  }

  workers() {
    return this.#ask(leader => leader.ask('workers'))
  }

  master() {
    return this.#ask(leader => leader.ask('master'))
  }

  async close(): Promise<void> {
    this.#parts.link.close()
    await this.#system.close()
  }
}

class RemoteApp implements RunningApp {
  readonly id: number
  readonly name: string
  readonly #parts: Parts
  #failure: Promise<never> | undefined = undefined
  #over = false

  constructor(parts: Parts, id: number, name: string) {
    this.#parts = parts
    this.id = id
    this.name = name
  }

  // Looked for only when somebody waits for it.
  get failure(): Promise<never> {
    if (this.#failure === undefined) {
      this.#failure = this.#watchFailure()
      this.#failure.catch(() => undefined)
    }
    return this.#failure
  }

  #ask<T>(what: (leader: ActorRef<GearDoor>) => Promise<T>): Promise<T> {
    return this.#parts.link.call(CALL_MS, what)
  }

  // While an app master is being replaced there is nobody to ask: it is waited for.
  #call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#parts.link.call(
      CALL_MS,
      leader => leader.within(CALL_MS).ask('call', this.id, method, args),
      ['APP_MASTER_ABSENT'],
    )
  }

  #record(): Promise<AppRecord> {
    return this.#ask(leader => leader.ask('find', this.id))
  }

  /** Resolves when data flows; rejects with the reason when it will not. */
  async started(): Promise<void> {
    while (true) {
      const { status, failure } = await this.#record()
      if (status === 'failed') throw failureOf(this.name, failure)
      if (status === 'stopped')
        throw new EngineError(
          'APP_FAILED',
          `application "${this.name}" was killed while it started`,
        )
      if (status !== 'starting') return
      await this.#wait()
    }
  }

  async #watchFailure(): Promise<never> {
    while (true) {
      const { status, failure } = await this.#record()
      if (status === 'failed') throw failureOf(this.name, failure)
      if (status === 'stopped') {
        this.#over = true
        await new Promise<never>(() => undefined)
      }
      await this.#wait()
    }
  }

  #wait(): Promise<void> {
    return new Promise(resolve => void this.#parts.environment.after(LOOK_MS, resolve))
  }

  async info(): Promise<AppInfo> {
    const record = await this.#record()
    const over = record.status === 'failed' || record.status === 'stopped'
    const summary = (await this.#ask(leader => leader.ask('list'))).find(app => app.id === this.id)
    const report = over ? undefined : await this.#report()
    return {
      id: record.id,
      name: record.submission.name,
      status: record.status as AppState,
      startedMs: record.submittedMs,
      ...(report ?? NO_REPORT),
      cluster: {
        endedMs: record.endedMs,
        appMaster: summary?.appMaster,
        incarnation: record.incarnation,
        deaths: record.deaths,
        failure: record.failure,
        waiting: report?.waiting,
        bundle: record.submission.bundle?.hash,
      },
    }
  }

  // An application whose app master is being replaced has nothing to say at the moment, which is no error.
  async #report(): Promise<(AppReport & { waiting?: string }) | undefined> {
    try {
      const report = this.#ask(leader => leader.ask('call', this.id, 'report', []))
      return (await report) as AppReport & { waiting?: string }
    } catch (error) {
      if (error instanceof EngineError && error.code === 'APP_MASTER_ABSENT') return undefined
      throw error
    }
  }

  figures(): Promise<RunFigures> {
    return this.#call('figures') as Promise<RunFigures>
  }

  setActive(active: boolean): Promise<void> {
    return this.#ask(leader => leader.ask('setActive', this.id, active))
  }

  setCredentials(credentials: Readonly<Record<string, string>>): Promise<void> {
    return this.#ask(leader => leader.ask('setCredentials', this.id, credentials))
  }

  // Asked again while it goes on: that is the same wish.
  rebalance(executors: number): Promise<void> {
    return this.#parts.link.call(
      REBALANCE_MS,
      leader => leader.within(CALL_MS).ask('rebalance', this.id, executors),
      ['APP_MASTER_ABSENT'],
    )
  }

  async drained(options: { idleMs?: number } = {}): Promise<void> {
    const quiet = this.#untilQuiet(options.idleMs ?? DEFAULT_IDLE_MS, Infinity)
    await Promise.race([quiet, this.failure])
  }

  async drain(timeoutMs: number): Promise<number> {
    await this.setActive(false)
    await Promise.race([this.#untilQuiet(0, timeoutMs), this.failure])
    return (await this.figures()).pending
  }

  #untilQuiet(idleMs: number, timeoutMs: number): Promise<void> {
    return untilQuiet({
      environment: this.#parts.environment,
      periodMs: LOOK_MS,
      timeoutMs,
      runs: () => !this.#over,
      isQuiet: async () => (await this.#call('isDrained', idleMs)) === true,
    })
  }

  async kill(): Promise<void> {
    this.#over = true
    await killed(this.#parts, this.id)
  }
}

// Asked again after a change of leaders, it may be dead already, by us: that is what was wanted.
async function killed({ link }: Parts, app: number | string): Promise<void> {
  let asked = false
  await link.call(CALL_MS, async leader => {
    const again = asked
    asked = true
    try {
      await leader.within(KILL_TIMEOUT_MS).ask('kill', app)
    } catch (error) {
      if (!again || !(error instanceof EngineError) || error.code !== 'APP_NOT_FOUND') throw error
    }
  })
}

const NO_REPORT: AppReport = {
  clockUs: 0,
  executors: [],
  figures: { emitted: 0, acked: 0, failed: 0, pending: 0, lost: 0, unresolved: 0, components: {} },
  errors: {},
  deaths: [],
  restarts: 0,
}

function failureOf(name: string, failure: AppRecord['failure']): EngineError {
  const options = failure?.hint === undefined ? {} : { hint: failure.hint }
  const message = `application "${name}" has failed: ${failure?.message ?? 'its reason is not known'}`
  return new EngineError((failure?.code ?? 'APP_FAILED') as 'APP_FAILED', message, options)
}

// What the loader itself reads has to travel; any other path in the input is the user's word, meant for the hosts where it
// will be read.
function ownWords(input: unknown): string[] {
  if (typeof input !== 'object' || input === null) return []
  return Object.keys(input).filter(field => field !== 'file' && field !== 'resources')
}

// The file that decides which directory travels: the user's own, not that of our loader.
function fileOf(code: NonNullable<Application['code']>): string {
  const input = code.input as { file?: unknown } | null | undefined
  if (typeof input?.file === 'string') return input.file
  if (code.module.startsWith('file:')) return fileURLToPath(code.module)
  throw new EngineError('BAD_INPUT', `no directory can be told from the code ${code.module}`, {
    hint: 'say which one travels: submit(app, { bundle: directory })',
  })
}
