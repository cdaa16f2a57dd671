import test from 'ava'
import { DigestHandshake, digest } from '../../../../storm-compat/thrift/sasl-digest.ts'

const PASSWORDS = new Map([['ada', 'größe 🐄']])

function message(status: number, payload: string): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(5)
  head.writeInt8(status)
  head.writeInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

const begun = () => {
  const handshake = new DigestHandshake(user => PASSWORDS.get(user), 'n0nce')
  const challenge = handshake.take(Buffer.concat([message(1, 'DIGEST-MD5'), message(2, '')]))
  return { handshake, challenge: challenge.toString('utf8', 5) }
}

function response(password: string, change: Readonly<Record<string, string>> = {}): Buffer {
  const given = new Map(
    Object.entries({
      username: 'ada',
      realm: 'storm',
      nonce: 'n0nce',
      nc: '00000001',
      cnonce: 'mine',
      qop: 'auth',
      'digest-uri': 'storm_thrift_server/localhost',
      ...change,
    }),
  )
  const proof = change.response ?? digest(given, password, 'AUTHENTICATE:')
  const directives = [...given].map(([name, value]) => `${name}="${value}"`)
  return message(2, [...directives, `response=${proof}`].join(','))
}

test('the example of RFC 2831 comes out', t => {
  const given = new Map([
    ['username', 'chris'],
    ['realm', 'elwood.innosoft.com'],
    ['nonce', 'OA6MG9tEQGm2hh'],
    ['nc', '00000001'],
    ['cnonce', 'OA6MHXh6VqTrRk'],
    ['digest-uri', 'imap/elwood.innosoft.com'],
    ['qop', 'auth'],
  ])
  t.is(digest(given, 'secret', 'AUTHENTICATE:'), 'd388dad90d4bbd760a152321f2143af7')
  t.is(digest(given, 'secret', ':'), 'ea40f60335c427b5527b84dbabcdfffd')
})

test('who knows the password gets in, wherever the chunks end, and its first frame is kept', t => {
  const { challenge } = begun()
  t.is(challenge, 'realm="storm",nonce="n0nce",qop="auth",charset=utf-8,algorithm=md5-sess')
  const bytes = Buffer.concat([response('größe 🐄'), Buffer.from('frame')])
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { handshake } = begun()
    const answers = [bytes.subarray(0, cut), bytes.subarray(cut)].map(part => {
      if (handshake.user === undefined) return handshake.take(part)
      return part
    })
    t.is(handshake.user, 'ada')
    t.is(answers.find(answer => answer.length > 0)?.[0], 5)
  }
  const { handshake } = begun()
  const answer = handshake.take(bytes)
  t.regex(answer.toString('utf8', 5), /^rspauth=[0-9a-f]{32}$/)
  t.is(handshake.rest.toString(), 'frame')
})

test('who does not is refused, whatever is wrong', t => {
  const wrong: readonly Buffer[] = [
    response('guess'),
    response('größe 🐄', { username: 'bob' }),
    response('größe 🐄', { nonce: 'other' }),
    response('größe 🐄', { nc: '00000002' }),
    response('größe 🐄', { qop: 'auth-int' }),
    response('größe 🐄', { realm: 'other' }),
    response('größe 🐄', { 'digest-uri': 'imap/localhost' }),
    response('größe 🐄', { authzid: 'root' }),
    response('größe 🐄', { response: '' }),
    message(2, ''),
    message(2, 'username="ada",username="ada"'),
  ]
  for (const bytes of wrong) {
    const { handshake } = begun()
    t.throws(() => handshake.take(bytes), { code: 'THRIFT_INVALID' })
    t.is(handshake.user, undefined)
  }
})

test('other mechanisms, other protocols and endless messages are refused', t => {
  const first = (bytes: Buffer) => {
    const handshake = new DigestHandshake(() => 'x')
    return t.throws(() => handshake.take(bytes), { code: 'THRIFT_INVALID' })?.message
  }
  t.regex(first(message(1, 'GSSAPI'))!, /GSSAPI/)
  t.regex(first(message(2, 'DIGEST-MD5'))!, /authenticates by/)
  t.regex(first(Buffer.from('000000178001000100000009', 'hex'))!, /does not authenticate/)
  t.regex(first(Buffer.from('017fffffff', 'hex'))!, /does not authenticate/)
})
