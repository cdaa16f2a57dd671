// Storm's UI, its REST part: answers /api/v1/… over HTTP from what a Nimbus tells. Loopback unless told otherwise; every
// request is bounded in size and time. What is asked and answered is in routes.ts, who may ask in guard.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import { EngineError, type Log, noLog } from 'gearpump'
import { asError } from 'gearpump/spi'
import { defaults } from '../topology/settings.ts'
import type { UiConf } from './formats.ts'
import { refusalOf } from './guard.ts'
import type { WithNimbus } from './nimbus-calls.ts'
import { type Route, routesOf } from './routes.ts'
import { type AskLag, lagAsker } from './spout-lag.ts'
import { errorJson, statusOf, UiError } from './ui-error.ts'

/** Storm's own port. */
export const UI_PORT = 8080

const PREFIX = '/api/v1'
/** Levels of a thousand loggers fit. */
const BODY_BYTES_MAX = 64 * 1024
const CONNECTIONS_MAX = 128
/** Storm's own is 4 KiB. */
const HEADER_BYTES_MAX = 16 * 1024
const REQUEST_TIMEOUT_MS = 10_000
const IDLE_TIMEOUT_MS = 5000
/** A callback as Storm takes it; another one is ignored, and the answer is plain JSON. */
const CALLBACK = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/
const CALLBACK_MAX = 128

const READ_ONLY =
  'nothing can be changed over this UI: ui.actions.enabled is false, or its Nimbus has users, who use the storm command'

export interface UiOptions {
  readonly nimbus: WithNimbus
  /** Port to listen on, 8080 if not given; 0 = any that is free. */
  readonly port?: number
  /** Address to listen on; loopback if not given. Who can connect can end topologies. */
  readonly address?: string
  /**
   * Names by which this host may be asked, beside addresses, `localhost`, its own, `address`, and what `conf` says by
   * `storm.local.hostname`.
   */
  readonly hosts?: readonly string[]
  /** Origins of pages elsewhere that may read and act. None if not given. */
  readonly origins?: readonly string[]
  /** Settings of the daemons: links to logs, what is displayed. Storm's defaults if not given. */
  readonly conf?: UiConf
  /** Whether a POST may change something; what `ui.actions.enabled` of `conf` says if not given. */
  readonly actions?: boolean
  readonly log?: Log
  readonly nowMs?: () => number
  /** How Kafka is asked for the lag of a group; by connections of its own if not given. */
  readonly askLag?: AskLag
}

export interface Ui {
  readonly port: number
  readonly address: string
  /** Idempotent. */
  close(): Promise<void>
}

/**
 * Starts the REST part of Storm's UI.
 *
 * @example
 * const ui = await startUi({ nimbus: always(nimbus.calls) })
 * // curl http://localhost:8080/api/v1/cluster/summary
 */
export async function startUi(options: UiOptions): Promise<Ui> {
  const desk = new Desk(options)
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
    },
    (request, response) => void desk.serve(request, response),
  )
  server.maxConnections = CONNECTIONS_MAX
  const { port = UI_PORT, address = '127.0.0.1' } = options
  await listening(server, address, port)
  const bound = server.address()
  let closing: Promise<void> | undefined
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    address,
    close: () => {
      closing ??= new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closing
    },
  }
}

function listening(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      reject(
        new EngineError('BAD_INPUT', `cannot listen on ${address}:${port}: ${error.message}`, {
          hint: 'choose another --ui-port, or end what holds this one',
          cause: error,
        }),
      )
    })
    server.listen(port, address, resolve)
  })
}

class Desk {
  readonly #options: UiOptions
  readonly #askLag: AskLag
  readonly #conf: UiConf
  readonly #actions: boolean
  readonly #guard: { readonly hosts: readonly string[]; readonly origins: readonly string[] }

  constructor(options: UiOptions) {
    this.#options = options
    this.#askLag = options.askLag ?? lagAsker()
    this.#conf = options.conf ?? defaults
    this.#actions = options.actions ?? this.#conf['ui.actions.enabled'] !== false
    const { hosts = [], origins = [], address = '' } = options
    const named = this.#conf['storm.local.hostname']
    const own = [hostname(), address, ...(typeof named === 'string' ? [named] : [])]
    this.#guard = { hosts: [...hosts, ...own], origins }
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let callback: string | undefined
    let status = 200
    let body: string
    try {
      const { pathname, searchParams } = addressOf(request)
      callback = callbackOf(searchParams)
      body = JSON.stringify(
        await this.#answer(request, pathname, searchParams, callback !== undefined),
      )
    } catch (error) {
      status = statusOf(error)
      body = JSON.stringify(errorJson(error))
      // The script of an error is an answer, too.
      if (status === 403) callback = undefined
      if (status >= 500) this.#warn(request, error)
    }
    response.writeHead(status, {
      ...this.#sharing(request),
      'Content-Type':
        callback === undefined
          ? 'application/json;charset=utf-8'
          : 'application/javascript;charset=utf-8',
      'Cache-Control': 'no-cache, no-store',
      'X-Content-Type-Options': 'nosniff',
      // What was not read of a body is not read any more.
      ...(request.complete ? {} : { Connection: 'close' }),
    })
    response.end(callback === undefined ? body : `${callback}(${body});`)
  }

  async #answer(
    request: IncomingMessage,
    pathname: string,
    query: URLSearchParams,
    asScript: boolean,
  ): Promise<unknown> {
    const { method = 'GET', headers } = request
    const refusal = refusalOf({ method, headers, asScript }, this.#guard)
    if (refusal !== undefined) throw new UiError(403, refusal)
    const { route, words } = find(method, pathname)
    if (route.method === 'POST' && !this.#actions) throw new UiError(403, READ_ONLY)
    const body = route.method === 'POST' ? await jsonOf(request) : undefined
    const nowSecs = Math.floor((this.#options.nowMs ?? Date.now)() / 1000)
    return this.#options.nimbus(nimbus =>
      route.answer({ nimbus, conf: this.#conf, askLag: this.#askLag, nowSecs, words, query, body }),
    )
  }

  // Pages elsewhere may read only if they are named.
  #sharing({ headers }: IncomingMessage): Record<string, string> {
    const { origin } = headers
    if (origin === undefined || !this.#guard.origins.includes(origin)) return {}
    return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }
  }

  #warn({ method, url = '' }: IncomingMessage, error: unknown): void {
    const path = url.replace(/\?.*/, '').slice(0, 200)
    const text = `${method} ${path}: ${asError(error).message}`
    const timeMs = (this.#options.nowMs ?? Date.now)()
    const log = this.#options.log ?? noLog
    log.write({ level: 'warn', where: 'ui', text, timeMs })
  }
}

function addressOf({ url = '/' }: IncomingMessage): URL {
  // Only the path and the query count; the host is looked at in its header.
  if (url.startsWith('/') && URL.canParse(`http://ui${url}`)) return new URL(`http://ui${url}`)
  throw new UiError(400, 'the address is no path')
}

function callbackOf(query: URLSearchParams): string | undefined {
  const callback = query.get('callback')
  if (callback === null || callback.length > CALLBACK_MAX) return undefined
  return CALLBACK.test(callback) ? callback : undefined
}

function find(method: string, pathname: string): { route: Route; words: readonly string[] } {
  const path = pathname.startsWith(`${PREFIX}/`) ? pathname.slice(PREFIX.length) : ''
  const found = routesOf(path.replace(/\/$/, ''))
  const [first] = found
  if (first === undefined) {
    throw new UiError(404, `there is no ${pathname.slice(0, 200)}; the API is under ${PREFIX}`)
  }
  const match = found.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
  if (match !== undefined) return match
  throw new UiError(405, `${first.route.method} is what this path takes`)
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new UiError(413, `a body has ${BODY_BYTES_MAX} bytes at most`)
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  // A form of another site can send any text, but not under this type.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new UiError(415, 'a body must be application/json')
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new UiError(400, `the body is no JSON: ${asError(error).message}`)
  }
}
