// DRPC over HTTP: `POST /drpc/FUNCTION` with the arguments as body, `GET /drpc/FUNCTION/ARGUMENTS`, `GET /drpc/FUNCTION`. The answer
// is the result as text; what failed is told as Storm 2 tells it, by status and a small JSON object. A caller that hangs up
// frees its request. A web page of another host cannot call functions here: browsers say where a page is from.
import { timingSafeEqual } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { asError } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'
import type { PasswordOf } from '../thrift/sasl-digest.ts'
import type { ServerTls } from '../thrift/server.ts'
import type { DrpcFailureType } from '../thrift/storm-drpc.ts'
import { AuthorizationException } from '../thrift/storm-exceptions.ts'
import { refusalOf } from '../ui/guard.ts'
import { failureOf } from './requests.ts'

/** Each caller holds a connection while its request is worked on. */
const CONNECTIONS_MAX = 1024
/** A body that is not complete after so long is given up. */
const BODY_TIMEOUT_MS = 60_000
const HEADER_BYTES_MAX = 64 * 1024
const PATH = /^\/drpc\/([^/]+)(?:\/(.*))?$/s

const STATUS: Readonly<Record<DrpcFailureType, number>> = {
  FAILED_REQUEST: 400,
  INTERNAL_ERROR: 500,
  SERVER_SHUTDOWN: 503,
  SERVER_TIMEOUT: 504,
}

export interface HttpCall {
  readonly functionName: string
  readonly args: string
  readonly user: string | undefined
  readonly gone: AbortSignal
}

export interface HttpOptions {
  readonly execute: (call: HttpCall) => Promise<string>
  readonly argsBytesMax: number
  readonly tls?: ServerTls | undefined
  /** Names by which this host may be asked, beside addresses and `localhost`; any name if undefined. */
  readonly hosts?: readonly string[] | undefined
  /** Callers must say who they are: HTTP's basic authentication. */
  readonly passwordOf?: PasswordOf | undefined
}

/** A server that is not listening yet. */
export function drpcOverHttp(options: HttpOptions): Server {
  const desk = { ...options, leaving: new WeakMap<Socket, AbortSignal>() }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    serveOne(desk, request, response).catch((error: unknown) => refuse(response, error))
  }
  const limits = { requestTimeout: BODY_TIMEOUT_MS, maxHeaderSize: HEADER_BYTES_MAX }
  const { tls } = options
  const demanded = tls?.ca !== undefined
  const server =
    tls === undefined
      ? createServer(limits, answer)
      : createHttpsServer(
          { ...limits, ...tls, requestCert: demanded, rejectUnauthorized: demanded },
          answer,
        )
  server.maxConnections = CONNECTIONS_MAX
  return server
}

/** What is wrong with a request before it is one. */
class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function serveOne(
  options: HttpOptions & { readonly leaving: WeakMap<Socket, AbortSignal> },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  refuseOtherPages(request, options.hosts)
  const user = userOf(request, options.passwordOf)
  const { functionName, args } = pathOf(request)
  const { method } = request
  if (method !== 'GET' && method !== 'POST') {
    throw new HttpProblem(405, `${method}: only GET and POST are answered`)
  }
  const gone = goneOf(request.socket, options.leaving)
  const body = await bodyOf(request, options.argsBytesMax)
  const result = await options.execute({
    functionName,
    args: method === 'POST' ? body : args,
    user,
    gone,
  })
  send(response, 200, 'text/plain; charset=utf-8', result)
}

// One for all requests of a connection. The end of a response does not do: that of a request behind another one, which a caller
// may send without waiting, never comes when the caller goes.
function goneOf(socket: Socket, leaving: WeakMap<Socket, AbortSignal>): AbortSignal {
  const known = leaving.get(socket)
  if (known !== undefined) return known
  const gone = new AbortController()
  // How many requests may wait is bounded where they wait.
  setMaxListeners(0, gone.signal)
  if (socket.destroyed) gone.abort()
  else socket.once('close', () => gone.abort())
  leaving.set(socket, gone.signal)
  return gone.signal
}

function pathOf({ url = '' }: IncomingMessage): { functionName: string; args: string } {
  const [, functionName, args = ''] = PATH.exec(url.replace(/\?.*$/s, '')) ?? []
  if (functionName === undefined) {
    throw new HttpProblem(404, 'functions are at /drpc/FUNCTION and /drpc/FUNCTION/ARGUMENTS')
  }
  try {
    return { functionName: decodeURIComponent(functionName), args: decodeURIComponent(args) }
  } catch {
    // Its own text says "URI malformed" and no more.
    throw new HttpProblem(400, 'the path is not well encoded: %XX must be UTF-8')
  }
}

async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new HttpProblem(413, `arguments have at most ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

// A page can have a browser ask without an origin, for an image or a form: every sign of where it is from counts.
function refuseOtherPages(
  { method = 'GET', headers }: IncomingMessage,
  names: readonly string[] | undefined,
): void {
  const hosts = names ?? (headers.host === undefined ? [] : [headers.host.replace(/:\d+$/, '')])
  const refusal = refusalOf({ method, headers, asScript: true }, { hosts, origins: [] })
  if (refusal !== undefined) throw new HttpProblem(403, refusal)
}

function userOf(request: IncomingMessage, passwordOf: PasswordOf | undefined): string | undefined {
  const { socket } = request
  if (passwordOf === undefined) {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
    const { CN } = socket.getPeerCertificate().subject ?? {}
    return typeof CN === 'string' ? CN : undefined
  }
  const [, encoded = ''] = /^basic ([\w+/=]+)$/i.exec(request.headers.authorization ?? '') ?? []
  const [, user = '', password = ''] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  const expected = passwordOf(user)
  if (expected !== undefined && same(expected, password)) return user
  throw new HttpProblem(401, 'say who you are: basic authentication with the password of the user')
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function refuse(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpProblem) {
    const { status, message } = error
    if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="drpc"')
    // What is left of the body is not waited for.
    response.setHeader('Connection', 'close')
    send(response, status, 'text/plain; charset=utf-8', `${message}\n`)
    return
  }
  if (error instanceof ThriftException && error.type.name === AuthorizationException.name) {
    sendFailure(response, 403, 'Not Authorized', asError(error).message)
    return
  }
  const { type, msg } = failureOf(error)
  sendFailure(response, STATUS[type], type, msg)
}

function sendFailure(
  response: ServerResponse,
  status: number,
  error: string,
  errorMessage: string,
): void {
  send(response, status, 'application/json', JSON.stringify({ error, errorMessage }))
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}
