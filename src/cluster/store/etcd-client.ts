// etcd's JSON gateway over node:http(s), without a client library: one try of one request at one endpoint, within a
// time limit that also holds while a socket connects (`AbortSignal`; a request's own time-out does not run then).
// After a failure the next endpoint has its turn. A failure says whether the request may have been carried out. With a
// user, a token is fetched when one is needed.
import * as http from 'node:http'
import * as https from 'node:https'
import { asError, type EngineError } from '../../base/errors.ts'
import type { Outcome } from './store.ts'
import { unavailable } from './store-errors.ts'

export interface EtcdClientOptions {
  /** `http://host:2379`; this machine's own first. */
  readonly endpoints: readonly string[]
  /** For https endpoints: PEM texts. `cert` and `key` are this client's own. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly user?: { readonly name: string; readonly password: string }
  /** Of one try. */
  readonly requestTimeoutMs?: number
}

/** A JSON object as etcd sends it: bytes are base64, 64-bit numbers are texts, and what is zero is left out. */
// biome-ignore lint/suspicious/noExplicitAny: what the answers hold is checked where they are read
export type EtcdJson = any

const REQUEST_TIMEOUT_MS = 1000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const LINE_BYTES_MAX = 16 * 1024 * 1024

// gRPC's codes, as the gateway passes them on.
const NOT_FOUND = 5
const PERMISSION_DENIED = 7
const RESOURCE_EXHAUSTED = 8
const UNAUTHENTICATED = 16
// With these nothing was done, and asking another endpoint would not help.
const REFUSALS = new Set([3, NOT_FOUND, 6, PERMISSION_DENIED, 9, 11, 12, UNAUTHENTICATED])

/** etcd answered, and says no. */
export class EtcdRefusal extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'EtcdRefusal'
    this.code = code
  }

  get notFound(): boolean {
    return this.code === NOT_FOUND
  }
}

export class EtcdClient {
  readonly #options: EtcdClientOptions
  readonly #agents: { http: http.Agent; https: https.Agent }
  readonly #onSwitch = new Set<() => void>()
  #current = 0
  #token: string | undefined

  constructor(options: EtcdClientOptions) {
    this.#options = options
    this.#agents = {
      http: new http.Agent({ keepAlive: true }),
      https: new https.Agent({ keepAlive: true, ...options.tls }),
    }
  }

  /** The endpoint that is asked now. */
  get endpoint(): string {
    return this.#options.endpoints[this.#current]!
  }

  /** One try. Rejects with STORE_UNAVAILABLE or, when etcd itself says no, with `EtcdRefusal`. */
  async post(path: string, body: object): Promise<EtcdJson> {
    if (this.#options.user !== undefined && this.#token === undefined) await this.#authenticate()
    try {
      return await this.#try(path, body)
    } catch (error) {
      if (this.#options.user === undefined || !isStaleToken(error)) throw error
      await this.#authenticate()
      return this.#try(path, body)
    }
  }

  /**
   * A request whose answer does not end: calls `onLine` with each object. `ended` resolves when it is over, for
   * whatever reason; it never rejects, since whoever watches begins again.
   */
  stream(
    path: string,
    body: object,
    onLine: (line: EtcdJson) => void,
  ): { ended: Promise<void>; cancel(): void } {
    const abort = new AbortController()
    const cancel = () => abort.abort()
    this.#onSwitch.add(cancel)
    const ended = this.#stream(path, { body, onLine, signal: abort.signal }).finally(() =>
      this.#onSwitch.delete(cancel),
    )
    return { ended, cancel }
  }

  close(): void {
    for (const cancel of this.#onSwitch) cancel()
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }

  async #authenticate(): Promise<void> {
    const { name, password } = this.#options.user!
    this.#token = undefined
    try {
      const answer = await this.#try('/v3/auth/authenticate', { name, password })
      this.#token = String(answer.token)
    } catch (error) {
      if (!(error instanceof EtcdRefusal)) throw error
      const message = `etcd at ${this.endpoint} does not let user "${name}" in: ${error.message}`
      throw unavailable(message, {
        outcome: 'none',
        hint: 'check the user and the password',
        lasting: true,
      })
    }
  }

  async #try(path: string, body: object): Promise<EtcdJson> {
    const endpoint = this.endpoint
    const signal = AbortSignal.timeout(this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS)
    let reply: Reply
    try {
      reply = await this.#exchange(endpoint, { path, body, signal })
    } catch (error) {
      this.#switchFrom(endpoint)
      throw unanswered(endpoint, error)
    }
    const answer = parseReply(endpoint, reply)
    if (reply.status === 200 && answer.error === undefined) return answer
    throw this.#refusal(endpoint, answer)
  }

  #refusal(endpoint: string, answer: EtcdJson): Error {
    // 3.6 has the code outside, streams have it in `error`.
    const { code, message } = typeof answer.error === 'object' ? answer.error : answer
    const text = String(message ?? answer.error ?? 'no reason given')
    if (REFUSALS.has(code)) return new EtcdRefusal(code, text)
    this.#switchFrom(endpoint)
    if (code === RESOURCE_EXHAUSTED) {
      return unavailable(`etcd at ${endpoint} takes no more: ${text}`, {
        outcome: 'none',
        hint: 'if its database is full: compact and defragment it, then `etcdctl alarm disarm`',
      })
    }
    // It may have given up waiting for what is still on its way.
    return unavailable(`etcd at ${endpoint}: ${text}`, { outcome: 'unknown' })
  }

  // Requests that fail together turn to the next endpoint together.
  #switchFrom(endpoint: string): void {
    const { endpoints } = this.#options
    if (endpoint !== this.endpoint || endpoints.length === 1) return
    this.#current = (this.#current + 1) % endpoints.length
    for (const cancel of [...this.#onSwitch]) cancel()
  }

  #open(endpoint: string, { path, body, signal }: Exchange): Opened {
    const url = new URL(path, endpoint)
    const secure = url.protocol === 'https:'
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (this.#token !== undefined) headers.authorization = this.#token
    const agent = secure ? this.#agents.https : this.#agents.http
    const request = (secure ? https : http).request(url, { method: 'POST', agent, headers, signal })
    const opened: Opened = { request, sent: false }
    request.once('socket', socket => {
      if (!socket.connecting) opened.sent = true
      else socket.once(secure ? 'secureConnect' : 'connect', () => (opened.sent = true))
    })
    request.end(JSON.stringify(body))
    return opened
  }

  #exchange(endpoint: string, exchange: Exchange): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const opened = this.#open(endpoint, exchange)
      const failed = (error: Error) => reject(new ExchangeFailure(error, opened.sent))
      opened.request.on('error', failed)
      opened.request.once('response', response => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk)
          else response.destroy(new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`))
        })
        response.on('error', failed)
        response.on('end', () =>
          resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString('utf8') }),
        )
      })
    })
  }

  async #stream(
    path: string,
    { body, onLine, signal }: { body: object; onLine(line: EtcdJson): void; signal: AbortSignal },
  ): Promise<void> {
    await new Promise<void>(resolve => {
      const { request } = this.#open(this.endpoint, { path, body, signal })
      request.on('error', () => resolve())
      request.once('response', response => {
        let rest = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          const lines = (rest + text).split('\n')
          rest = lines.pop()!
          const read = rest.length <= LINE_BYTES_MAX && lines.every(line => readLine(line, onLine))
          if (!read) response.destroy()
        })
        response.on('error', () => resolve())
        response.on('close', () => resolve())
      })
    })
  }
}

interface Exchange {
  readonly path: string
  readonly body: object
  readonly signal: AbortSignal
}

interface Opened {
  readonly request: http.ClientRequest
  /** The connection stood, so bytes of it may have arrived. */
  sent: boolean
}

interface Reply {
  readonly status: number
  readonly text: string
}

class ExchangeFailure extends Error {
  readonly sent: boolean

  constructor(cause: Error, sent: boolean) {
    super(cause.message, { cause })
    this.sent = sent
  }
}

function unanswered(endpoint: string, error: unknown): EngineError {
  const sent = !(error instanceof ExchangeFailure) || error.sent
  const outcome: Outcome = sent ? 'unknown' : 'none'
  const cause = error instanceof ExchangeFailure ? error.cause : error
  const timedOut = asError(cause).name === 'TimeoutError' || asError(cause).name === 'AbortError'
  const what = timedOut ? 'did not answer in time' : `cannot be reached: ${asError(cause).message}`
  return unavailable(`etcd at ${endpoint} ${what}`, { outcome, cause })
}

// The answer of a stream of one message is a stream of one line, which is a JSON text as well.
function parseReply(endpoint: string, reply: Reply): EtcdJson {
  try {
    return JSON.parse(reply.text)
  } catch (error) {
    const start = JSON.stringify(reply.text.slice(0, 120))
    throw unavailable(`${endpoint} does not speak as etcd does: ${reply.status} ${start}`, {
      outcome: reply.status >= 400 && reply.status < 500 ? 'none' : 'unknown',
      // With users, etcd's gateway turns away a client certificate that has a common name.
      hint: reply.text.includes('CommonName')
        ? 'give the client a certificate without a common name, or leave out the user or the certificate'
        : 'is that the address of the client port?',
      cause: error,
    })
  }
}

// False when it is no JSON: whoever answers is not etcd, or the line was cut.
function readLine(line: string, onLine: (line: EtcdJson) => void): boolean {
  if (line === '') return true
  let value: EtcdJson
  try {
    value = JSON.parse(line)
  } catch {
    return false
  }
  onLine(value)
  return true
}

// A token ends after some minutes, with its etcd, and when users were changed.
function isStaleToken(error: unknown): boolean {
  if (!(error instanceof EtcdRefusal)) return false
  return error.code === UNAUTHENTICATED || /revision of auth store is old/.test(error.message)
}
