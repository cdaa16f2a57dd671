// Both sides of SASL DIGEST-MD5 (RFC 2831, qop "auth") in Thrift's SASL messages: what Storm's DigestSaslTransportPlugin
// speaks before its frames. Each message is a status, a length and a payload. The password never crosses the wire, and each side
// proves that it knows it. Pure but for the nonces.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { thriftInvalid } from './frame-bytes.ts'

const STATUS = { start: 1, ok: 2, bad: 3, error: 4, complete: 5 } as const
const MECHANISM = 'DIGEST-MD5'
/** Storm's name of the service, the first part of the digest-uri. */
const SERVICE = 'storm_thrift_server/'
const REALM = 'storm'
/** RFC 2831 bounds a response by 4,096 bytes. */
const PAYLOAD_BYTES_MAX = 4096

/** The password of a user, or undefined. */
export type PasswordOf = (user: string) => string | undefined

/** Who a client is. */
export interface Login {
  readonly user: string
  readonly password: string
}

/** Bytes in; answers out, until it is `done`. */
abstract class Side {
  #bytes: Buffer = Buffer.alloc(0)

  abstract readonly done: boolean

  /** What is to be answered to a message. Throws THRIFT_INVALID. */
  protected abstract step(status: number, payload: string): Buffer

  /** What came behind the last message: the first frames. */
  get rest(): Buffer {
    return this.#bytes
  }

  /** Takes bytes; returns what is to be sent. Throws THRIFT_INVALID. */
  take(chunk: Buffer): Buffer {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const answers: Buffer[] = []
    while (!this.done) {
      const message = readMessage(this.#bytes)
      if (message === undefined) break
      this.#bytes = message.rest
      answers.push(this.step(message.status, message.payload))
    }
    return Buffer.concat(answers)
  }
}

/** One peer that says who it is; it is done when `user` is known. What it throws is followed by `refusal`, and the peer is cut off. */
export class DigestHandshake extends Side {
  readonly #passwordOf: PasswordOf
  readonly #nonce: string
  #state: 'mechanism' | 'initial' | 'response' = 'mechanism'
  /** Who the peer is, once it has proved it. */
  user: string | undefined = undefined

  constructor(passwordOf: PasswordOf, nonce = randomBytes(18).toString('base64')) {
    super()
    this.#passwordOf = passwordOf
    this.#nonce = nonce
  }

  override get done(): boolean {
    return this.user !== undefined
  }

  protected override step(status: number, payload: string): Buffer {
    switch (this.#state) {
      case 'mechanism':
        if (status !== STATUS.start || payload !== MECHANISM) {
          throw thriftInvalid(`a client authenticates by ${JSON.stringify(payload.slice(0, 30))}`)
        }
        this.#state = 'initial'
        return Buffer.alloc(0)
      case 'initial':
        // The client's initial response; digest has none.
        this.#state = 'response'
        return saslMessage(STATUS.ok, this.#challenge())
      case 'response': {
        const proof = this.#verify(payload)
        return saslMessage(STATUS.complete, `rspauth=${proof}`)
      }
    }
  }

  #challenge(): string {
    return `realm="${REALM}",nonce="${this.#nonce}",qop="auth",charset=utf-8,algorithm=md5-sess`
  }

  /** Sets `user` and returns the server's own proof, or throws. */
  #verify(payload: string): string {
    const given = directivesOf(payload)
    const name = given.get('username') ?? ''
    const authorize = given.get('authzid')
    const wrong =
      given.get('nonce') !== this.#nonce ||
      given.get('nc') !== '00000001' ||
      (given.get('realm') ?? '') !== REALM ||
      (given.get('qop') ?? 'auth') !== 'auth' ||
      !(given.get('digest-uri') ?? '').startsWith(SERVICE) ||
      (authorize !== undefined && authorize !== name)
    const password = this.#passwordOf(name)
    // An unknown user takes as long as a known one.
    const expected = digest(given, password ?? this.#nonce, 'AUTHENTICATE:')
    const same = equal(expected, given.get('response') ?? '')
    if (wrong || password === undefined || !same) {
      throw thriftInvalid(`${JSON.stringify(name.slice(0, 60))} did not authenticate`)
    }
    this.user = name
    return digest(given, password, ':')
  }
}

/** The client's side: send `greeting`, then what `take` answers, until `done`. */
export class DigestClient extends Side {
  readonly #login: Login
  readonly #host: string
  readonly #cnonce: string
  /** The server's proof, once it is known. */
  #expected: string | undefined = undefined
  #done = false

  constructor(login: Login, host: string, cnonce = randomBytes(18).toString('base64')) {
    super()
    this.#login = login
    this.#host = host
    this.#cnonce = cnonce
  }

  override get done(): boolean {
    return this.#done
  }

  get greeting(): Buffer {
    return Buffer.concat([saslMessage(STATUS.start, MECHANISM), saslMessage(STATUS.ok, '')])
  }

  /** Throws when the server refuses, or is not who it should be. */
  protected override step(status: number, payload: string): Buffer {
    const { user } = this.#login
    if (status === STATUS.bad || status === STATUS.error) {
      throw thriftInvalid(
        `the server does not let ${JSON.stringify(user)} in`,
        'are user and password those of the section StormClient, and does the server know them?',
      )
    }
    if (this.#expected === undefined) return this.#answer(directivesOf(payload))
    if (status !== STATUS.complete || !equal(payload, `rspauth=${this.#expected}`)) {
      throw thriftInvalid('the server did not prove that it knows the password')
    }
    this.#done = true
    return Buffer.alloc(0)
  }

  #answer(challenge: ReadonlyMap<string, string>): Buffer {
    const { user, password } = this.#login
    const given = new Map([
      ['username', user],
      ['realm', challenge.get('realm') ?? ''],
      ['nonce', challenge.get('nonce') ?? ''],
      ['cnonce', this.#cnonce],
      ['nc', '00000001'],
      ['qop', 'auth'],
      ['digest-uri', `${SERVICE}${this.#host}`],
    ])
    const response = digest(given, password, 'AUTHENTICATE:')
    this.#expected = digest(given, password, ':')
    const plain = ['nc', 'qop']
    const directives = [...given].map(([name, value]) =>
      plain.includes(name) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`,
    )
    return saslMessage(
      STATUS.ok,
      ['charset=utf-8', ...directives, `response=${response}`].join(','),
    )
  }
}

/** What a peer is told that did not authenticate. */
export function refusal(): Buffer {
  return saslMessage(STATUS.bad, 'authentication failed')
}

/** The proof that who made it knows the password; `verb` tells the client's from the server's. */
export function digest(
  given: ReadonlyMap<string, string>,
  password: string,
  verb: 'AUTHENTICATE:' | ':',
): string {
  const of = (name: string) => given.get(name) ?? ''
  const secret = md5(hashed(`${of('username')}:${of('realm')}:${password}`))
  const authorize = given.has('authzid') ? `:${of('authzid')}` : ''
  const session = Buffer.concat([
    secret,
    Buffer.from(`:${of('nonce')}:${of('cnonce')}${authorize}`),
  ])
  const call = hex(Buffer.from(`${verb}${of('digest-uri')}`))
  const terms = [
    hex(session),
    of('nonce'),
    of('nc'),
    of('cnonce'),
    given.get('qop') ?? 'auth',
    call,
  ]
  return hex(Buffer.from(terms.join(':')))
}

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()
const hex = (bytes: Buffer) => md5(bytes).toString('hex')

// Names and passwords that Latin-1 can write are hashed in it, others in UTF-8.
function hashed(text: string): Buffer {
  const latin = Buffer.from(text, 'latin1')
  return latin.toString('latin1') === text ? latin : Buffer.from(text, 'utf8')
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** `name=value` and `name="value"`, separated by commas. */
function directivesOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, name, quoted, plain] of text.matchAll(
    /([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]*))/gsu,
  )) {
    if (found.has(name!)) throw thriftInvalid(`a client says ${name} twice`)
    found.set(name!, quoted?.replace(/\\(.)/gsu, '$1') ?? plain ?? '')
  }
  return found
}

/** The first whole message of some bytes, and what is behind it. */
function readMessage(bytes: Buffer): { status: number; payload: string; rest: Buffer } | undefined {
  if (bytes.length < 5) return undefined
  const status = bytes.readInt8(0)
  const length = bytes.readInt32BE(1)
  if (length < 0 || length > PAYLOAD_BYTES_MAX || !(status >= 1 && status <= 5)) {
    throw thriftInvalid('a peer does not authenticate', 'set up SASL digest at both ends')
  }
  if (bytes.length < 5 + length) return undefined
  return {
    status,
    payload: bytes.toString('utf8', 5, 5 + length),
    rest: bytes.subarray(5 + length),
  }
}

function saslMessage(status: number, payload: string): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(5)
  head.writeInt8(status)
  head.writeInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}
