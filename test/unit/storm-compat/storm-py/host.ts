// A scripted host for the tests of our storm.py: starts a component from Python source, speaks the multi-lang protocol
// by hand and lets a test take the component's messages one by one. It knows nothing of the engine, so that both ends of
// the protocol are checked apart. A test that forgets `close` is caught by the time limit of the child (`timeout`).

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Packr, UnpackrStream } from 'msgpackr'

/** What a component said: the fields of all commands together. */
export interface Said {
  command?: string
  pid?: number
  tuple?: unknown[]
  anchors?: string[]
  id?: unknown
  stream?: string
  task?: number
  need_task_ids?: boolean
  msg?: string
  level?: number
  name?: string
  params?: unknown
}

export interface Ended {
  code: number | null
  stderr: string
  /** What was said after the last message that the test took. */
  left: Said[]
}

interface HostOptions {
  serializer?: 'json' | 'msgpack'
  args?: string[]
  env?: Record<string, string>
  /** Folder of the module `storm`; ours by default. */
  modules?: string
}

const resources = fileURLToPath(
  new URL('../../../../storm-compat/multilang/resources', import.meta.url),
)
// A component of these tests lives for a second or two; this ends it when a test hangs.
const lifeMsMax = 30_000

export class Host {
  readonly folder: string
  readonly process: ChildProcess
  chunks = 0
  private readonly packr = new Packr({ useRecords: false, variableMapSize: true })
  private readonly binary: boolean
  private readonly said: Said[] = []
  private readonly waiting: ((said: Said) => void)[] = []
  private readonly closed: Promise<number | null>
  private text = ''
  private stderr = ''

  constructor(source: string, options: HostOptions = {}) {
    this.binary = options.serializer === 'msgpack'
    this.folder = mkdtempSync(join(tmpdir(), 'storm-py-'))
    const script = join(this.folder, 'component.py')
    writeFileSync(script, `import sys\nimport storm\n${source}\n`)
    this.process = spawn('python3', [script, ...(options.args ?? [])], {
      cwd: this.folder,
      env: {
        ...process.env,
        PYTHONPATH: options.modules ?? resources,
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONUNBUFFERED: '',
        ...options.env,
      },
      stdio: 'pipe',
      timeout: lifeMsMax,
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.process.stdin?.on('error', () => this.process.stdin?.destroy())
    this.listen()
    this.closed = new Promise(resolve => this.process.once('close', code => resolve(code)))
  }

  private listen(): void {
    const stdout = this.process.stdout!
    if (this.binary) {
      stdout
        .pipe(new UnpackrStream({ useRecords: false }))
        .on('data', (said: Said) => this.hear(said))
      return
    }
    stdout.setEncoding('utf8').on('data', (text: string) => {
      this.chunks++
      const parts = (this.text + text).split('\nend\n')
      this.text = parts.pop() ?? ''
      for (const part of parts) this.hear(JSON.parse(part) as Said)
    })
  }

  private hear(said: Said): void {
    const waiting = this.waiting.shift()
    if (waiting === undefined) this.said.push(said)
    else waiting(said)
  }

  /** The bytes of messages to the component. */
  encode(...messages: unknown[]): Buffer {
    return Buffer.concat(
      messages.map(m =>
        this.binary ? this.packr.pack(m) : Buffer.from(`${JSON.stringify(m)}\nend\n`),
      ),
    )
  }

  /** Sends messages in one write. */
  send(...messages: unknown[]): void {
    this.process.stdin?.write(this.encode(...messages))
  }

  /** Sends the first message; resolves to the pid that the component answers. */
  async shakeHands(conf: Record<string, unknown> = {}): Promise<number | undefined> {
    this.send({ pidDir: this.folder, conf, context: { taskid: 1, componentid: 'c' } })
    return (await this.next()).pid
  }

  /** The next message of the component. */
  next(): Promise<Said> {
    const said = this.said.shift()
    return said === undefined
      ? new Promise(resolve => this.waiting.push(resolve))
      : Promise.resolve(said)
  }

  async take(count: number): Promise<Said[]> {
    const taken: Said[] = []
    while (taken.length < count) taken.push(await this.next())
    return taken
  }

  files(): string[] {
    return readdirSync(this.folder)
  }

  /** Closes the component's input and waits for its end. */
  async close(): Promise<Ended> {
    this.process.stdin?.end()
    const code = await this.closed
    rmSync(this.folder, { recursive: true, force: true })
    return { code, stderr: this.stderr, left: this.said.splice(0) }
  }
}

/** A tuple as the host sends it. */
export function tuple(id: string, ...values: unknown[]): Record<string, unknown> {
  return { id, comp: 'source', stream: 'default', task: 7, tuple: values }
}

export const heartbeat = { id: 'h', comp: null, stream: '__heartbeat', task: -1, tuple: [] }

/** Source of a BasicBolt with this body of process(). */
export function basicBolt(...body: string[]): string {
  return component('BasicBolt', 'process(self, tup)', body)
}

/** Source of a component with one method; more may follow the body. */
export function component(base: string, method: string, body: string[]): string {
  const lines = body.map(line => `        ${line}`).join('\n')
  return `class C(storm.${base}):\n    def ${method}:\n${lines}\n\nC().run()`
}
