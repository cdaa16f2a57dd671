// A master's own etcd member: started, watched, started again with back-off when it dies, ended with the master's
// close. It is a process group of its own that writes into a file, so it outlives a master that crashes; the next life
// of that master finds it by `member.json` (pid, start time, addresses) and adopts it, or ends it when it does not fit
// any more. The directory is locked, so two masters never look after one member. Membership is what the settings said
// at the first start.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createConnection, isIP } from 'node:net'
import { join } from 'node:path'
import { Backoff } from '../../base/backoff.ts'
import type { Environment } from '../../base/environment.ts'
import { asError, EngineError } from '../../base/errors.ts'
import { type Log, log } from '../../base/log.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import type { EtcdClientOptions } from './etcd-client.ts'
import { Pause } from './pause.ts'
import { isSameProcess, type ProcessIdentity, processIdentity } from './process-identity.ts'

/** One master's member, as the others reach it. */
export interface EtcdPeer {
  readonly name: string
  /** `http://10.0.0.1:2379` */
  readonly clientUrl: string
  /** `http://10.0.0.1:2380` */
  readonly peerUrl: string
}

export interface EtcdMemberOptions extends Omit<EtcdClientOptions, 'endpoints'> {
  /** This master's, among `members`. */
  readonly name: string
  /** All masters of the cluster, the same list on each of them. An odd number. */
  readonly members: readonly EtcdPeer[]
  /** Of this member alone; kept over restarts. */
  readonly directory: string
  /** Path of etcd, 3.4.23 or later; `etcd` on the PATH if not given. */
  readonly program?: string
  /** More flags for etcd, such as those for TLS. */
  readonly flags?: readonly string[]
}

interface MemberRecord extends ProcessIdentity {
  readonly clientUrl: string
  readonly peerUrl: string
}

/** From the start of the process until its client port listens; reading a large state takes a while. */
const START_TIMEOUT_MS = 30_000
const POLL_MS = 50
/** Looks at a process that is not our child. */
const WATCH_MS = 1000
/** etcd hands over its leadership before it goes. */
const END_TIMEOUT_MS = 5000
const KILL_TIMEOUT_MS = 5000
const CONNECT_TIMEOUT_MS = 1000
const LOG_BYTES_MAX = 4 * 1024 * 1024
const TAIL_BYTES = 2000
/** The history that is kept for watches that fell behind. */
const KEPT_REVISIONS = 10_000

export class EtcdMember {
  readonly #options: EtcdMemberOptions
  readonly #me: EtcdPeer
  readonly #environment: Environment
  readonly #log: Log
  readonly #lock: DirectoryLock
  readonly #pause: Pause
  readonly #backoff = new Backoff()
  #process: ProcessIdentity | undefined
  #child: ChildProcess | undefined
  #closing: Promise<void> | undefined
  #supervision: Promise<void> = Promise.resolve()

  /** Rejects with STORE_START_FAILED when it does not come up, STORE_LOCKED when another master has the directory. */
  static async start(
    options: EtcdMemberOptions,
    parts: { environment: Environment; log: Log },
  ): Promise<EtcdMember> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    const lock = await lockDirectory(options.directory)
    try {
      const member = new EtcdMember(options, { ...parts, lock })
      await member.#adoptOrStart()
      member.#supervision = member.#supervise()
      return member
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  private constructor(
    options: EtcdMemberOptions,
    parts: { environment: Environment; log: Log; lock: DirectoryLock },
  ) {
    const me = options.members.find(member => member.name === options.name)
    if (me === undefined) {
      const names = options.members.map(member => member.name).join(', ')
      throw startFailed(`"${options.name}" is not among the masters ${names}`)
    }
    this.#options = options
    this.#me = me
    this.#environment = parts.environment
    this.#log = parts.log
    this.#lock = parts.lock
    this.#pause = new Pause(parts.environment)
  }

  get endpoint(): string {
    return this.#me.clientUrl
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** For a client on this machine: its own member first. */
  get client(): EtcdClientOptions {
    const others = this.#options.members.filter(member => member !== this.#me)
    return { ...this.#options, endpoints: [this.#me, ...others].map(member => member.clientUrl) }
  }

  /** Ends the member. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#pause.wake()
    await this.#supervision
    if (this.#process !== undefined) await this.#end(this.#process)
    await rm(this.#path('member.json'), { force: true })
    await this.#lock.release()
  }

  async #adoptOrStart(): Promise<void> {
    const record = await this.#readRecord()
    if (record !== undefined && isSameProcess(record)) {
      const { clientUrl, peerUrl } = this.#me
      const fits = record.clientUrl === clientUrl && record.peerUrl === peerUrl
      if (fits && (await listens(clientUrl))) {
        this.#process = record
        this.#say('info', `etcd, process ${record.pid}, has been running and goes on`)
        return
      }
      this.#say(
        'warn',
        `etcd, process ${record.pid}, of an earlier start does not fit and is ended`,
      )
      await this.#end(record)
    }
    await this.#start()
  }

  async #start(): Promise<void> {
    const { clientUrl, peerUrl } = this.#me
    for (const url of [clientUrl, peerUrl]) {
      if (await listens(url)) throw startFailed(`something else listens at ${url}`)
    }
    const child = await this.#spawn()
    this.#child = child
    const endMs = this.#environment.monotonicMs() + START_TIMEOUT_MS
    while (!(await listens(clientUrl))) {
      const ended = child.exitCode !== null || child.signalCode !== null
      if (!ended && this.#closing === undefined && this.#environment.monotonicMs() < endMs) {
        await this.#sleep(POLL_MS)
        continue
      }
      const why = ended
        ? `it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`
        : `it did not listen at ${clientUrl} within ${START_TIMEOUT_MS / 1000} s`
      if (this.#process !== undefined) await this.#end(this.#process)
      throw startFailed(`${why}${await this.#tail()}`)
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const path = this.#path('etcd.log')
    const size = await stat(path).then(
      it => it.size,
      () => 0,
    )
    if (size > LOG_BYTES_MAX) await truncate(path, 0)
    const program = this.#options.program ?? 'etcd'
    const file = openSync(path, 'a', 0o600)
    let child: ChildProcess
    try {
      child = spawn(program, this.#flags(), { detached: true, stdio: ['ignore', file, file] })
    } finally {
      closeSync(file)
    }
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', error => reject(startFailed(`${program}: ${error.message}`)))
    })
    child.unref()
    this.#backoff.started(this.#environment.monotonicMs())
    this.#process = processIdentity(child.pid!)
    if (this.#process !== undefined) await this.#writeRecord(this.#process)
    return child
  }

  #flags(): string[] {
    const { name, members, flags = [] } = this.#options
    const { clientUrl, peerUrl } = this.#me
    return [
      ...['--name', name, '--data-dir', this.#path('data')],
      ...['--listen-client-urls', bound(clientUrl), '--advertise-client-urls', clientUrl],
      ...['--listen-peer-urls', bound(peerUrl), '--initial-advertise-peer-urls', peerUrl],
      '--initial-cluster',
      members.map(member => `${member.name}=${member.peerUrl}`).join(','),
      ...['--initial-cluster-state', 'new', '--initial-cluster-token', 'gearpump'],
      // Without it, in 3.4, a member that comes back from a cut unseats the leader.
      '--pre-vote',
      ...['--auto-compaction-mode', 'revision', '--auto-compaction-retention', `${KEPT_REVISIONS}`],
      ...['--logger', 'zap', '--log-level', 'warn'],
      ...flags,
    ]
  }

  async #supervise(): Promise<void> {
    while (this.#closing === undefined) {
      if (this.#process !== undefined && isSameProcess(this.#process)) {
        await this.#pause.wait(WATCH_MS)
        continue
      }
      if (this.#process !== undefined) this.#sayEnded(this.#process)
      this.#process = undefined
      await this.#pause.wait(this.#backoff.failed(this.#environment.monotonicMs()))
      if (this.#closing !== undefined) return
      try {
        await this.#start()
      } catch (error) {
        if (this.#closing === undefined) this.#say('error', asError(error).message)
      }
    }
  }

  #sayEnded({ pid }: ProcessIdentity): void {
    // An adopted one is nobody's child; how it ended is not told.
    const child = this.#child?.pid === pid ? this.#child : undefined
    const how = child === undefined ? '' : `: ${child.signalCode ?? `exit code ${child.exitCode}`}`
    this.#say('warn', `etcd, process ${pid}, has ended${how}; it is started again`)
  }

  // The process and what it may have started; asks first.
  async #end(identity: ProcessIdentity): Promise<void> {
    for (const [signal, timeoutMs] of [
      ['SIGTERM', END_TIMEOUT_MS],
      ['SIGKILL', KILL_TIMEOUT_MS],
    ] as const) {
      if (!isSameProcess(identity)) break
      process.kill(identity.pid, signal)
      const endMs = this.#environment.monotonicMs() + timeoutMs
      while (isSameProcess(identity) && this.#environment.monotonicMs() < endMs) {
        await this.#sleep(POLL_MS)
      }
    }
    if (isSameProcess(identity)) {
      throw startFailed(`etcd, process ${identity.pid}, does not end even when killed`)
    }
    this.#process = undefined
  }

  async #readRecord(): Promise<MemberRecord | undefined> {
    try {
      return JSON.parse(await readFile(this.#path('member.json'), 'utf8')) as MemberRecord
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      const path = this.#path('member.json')
      throw startFailed(`${path} cannot be read: ${asError(error).message}; delete it`)
    }
  }

  async #writeRecord(identity: ProcessIdentity): Promise<void> {
    const { clientUrl, peerUrl } = this.#me
    const record: MemberRecord = { ...identity, clientUrl, peerUrl }
    const path = this.#path('member.json')
    await writeFile(`${path}.new`, JSON.stringify(record))
    await rename(`${path}.new`, path)
  }

  async #tail(): Promise<string> {
    const file = await open(this.#path('etcd.log'), 'r')
    try {
      const { size } = await file.stat()
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
      await file.read(bytes, 0, bytes.length, size - bytes.length)
      return bytes.length === 0 ? '' : `; its last words:\n${bytes.toString('utf8').trim()}`
    } finally {
      await file.close()
    }
  }

  #path(name: string): string {
    return join(this.#options.directory, name)
  }

  #sleep(ms: number): Promise<void> {
    return new Pause(this.#environment).wait(ms)
  }

  #say(level: 'info' | 'warn' | 'error', text: string): void {
    log(this.#log, level, 'store', text)
  }
}

// etcd binds to an address, not to a name.
function bound(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  const host = isIP(hostname.replace(/^\[|\]$/g, '')) > 0 || hostname === 'localhost'
  return `${protocol}//${host ? hostname : '0.0.0.0'}:${port}`
}

function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise(resolve => {
    const socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
    const done = (up: boolean) => {
      socket.destroy()
      resolve(up)
    }
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => done(false))
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

function startFailed(why: string): EngineError {
  return new EngineError('STORE_START_FAILED', `the master's etcd member does not run: ${why}`, {
    hint: 'check that etcd 3.4 or later is installed, that its ports are free, and its directory',
  })
}
