import test from 'ava'
import fc from 'fast-check'
import { EngineError } from 'gearpump/spi'
import { Double } from '../../../../storm-compat/component/values.ts'
import { jsonSerializer } from '../../../../storm-compat/multilang/json-framing.ts'
import '../../seed.ts'

type Chunk = string | Uint8Array

/** Messages as they are, stray text as strings, in the order in which they were told. */
function read(chunks: readonly Chunk[], bytesMax?: number): unknown[] {
  const told: unknown[] = []
  const reader = jsonSerializer.reader(bytesMax)
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk as string), {
      message: m => told.push(m),
      stray: s => told.push(s),
    })
  }
  return told
}

test('several messages come in one chunk, one in several, and lines end in any way', t => {
  const told = [{ a: 1 }, { b: 'é' }]
  t.deepEqual(read(['{"a":1}\nend\n{"b":"é"}\nend\n']), told)
  t.deepEqual(read(['{"a"', ':1}\ne', 'nd\n{"b":"é"}\n', 'end\n']), told)
  t.deepEqual(read(['{"a":1}\r\nend\r\n{"b":"é"}\r\nend\r\n']), told)
  t.deepEqual(read(['{"a":1}\r', '\nend\r', '{"b":"é"}\rend\r']), told)
})

test('P1: JSON over several lines is one message', t => {
  t.deepEqual(read(['{\n  "a": [\n    1,\n    {"end": 2}\n  ]\n}\nend\n']), [
    { a: [1, { end: 2 }] },
  ])
})

test('what is no JSON and yet a message to Storm is one here, too', t => {
  const took = (text: string) => read([`${text}\nend\n`])
  const log = (msg: string) => [{ command: 'log', msg }]
  t.deepEqual(took('{"command":"log","msg":"a\tb\u0001"}'), log('a\tb\u0001'), 'as they are')
  t.deepEqual(took('{"command":"log","msg":"one\n two\n"}'), log('one\n two\n'))
  t.deepEqual(took(String.raw`{"command":"log","msg":"it\'s \q \x41 \u00e9"}`), log("it's \\q A é"))
  const emit = (...tuple: unknown[]) => [{ command: 'emit', tuple }]
  t.deepEqual(took('{"command":"emit","tuple":["a","b",],}'), emit('a', 'b'))
  t.deepEqual(took('{"command":"emit",,"tuple":["a",,"b" "c"]}'), emit('a', 'b', 'c'))
  t.deepEqual(took('{"command":"emit","tuple":[01,-007,true,null,]}'), emit(1, -7, true, null))
  t.deepEqual(took("{'command': 'emit', 'tuple': [True, 5., -1.5e3]}"), [
    { command: 'emit', tuple: ['True', new Double(5), new Double(-1500)] },
  ])
  t.deepEqual(took('{command:sync}'), [{ command: 'sync' }])
  t.deepEqual(took('{pid:12}'), [{ pid: 12 }])
  t.deepEqual(took("{'a': 1, 'b': [2]}"), ["{'a': 1, 'b': [2]}"], 'a print of an object')
  t.deepEqual(took('{command: emit a word}'), ['{command: emit a word}'])
  t.deepEqual(took(`{command:${'['.repeat(600)}`), [`{command:${'['.repeat(600)}`])
})

test('a print does not cost the message after it', t => {
  const message = '{"command":"sync"}\nend\n'
  const told = { command: 'sync' }
  t.deepEqual(read([`hello\n${message}`]), ['hello', told])
  t.deepEqual(read([`{not json}\n${message}`]), ['{not json}', told])
  t.deepEqual(read([`{'command': 'debug'}\n${message}`]), ["{'command': 'debug'}", told])
  t.deepEqual(read([`{"command": "debug\n${message}`]), ['{"command": "debug', told])
  t.deepEqual(read([`{"a": 1}\n[1, 2]\n${message}`]), ['{"a": 1}', '[1, 2]', told])
  t.deepEqual(read([`50%...${message}`]), ['50%...', told])
  t.deepEqual(read([`"text"\n17\nnull\n\n${message}`]), ['"text"', '17', 'null', told])
  t.deepEqual(read(['{"command":"sync"}\nlate [print]\nend\n', message]), [
    told,
    'late [print]',
    told,
  ])
  t.deepEqual(read([`end\n${message}`]), [told], 'a print of `end` between messages')
})

test('a command whose `end` was spoilt still counts when the next one comes', t => {
  t.deepEqual(read(['{"command":"ack","id":"1"}\n...end\n{"command":"sync"}\nend\n']), [
    { command: 'ack', id: '1' },
    '...end',
    { command: 'sync' },
  ])
})

test('a print is told when it is made, not with the next message', t => {
  t.deepEqual(read(['loading\n']), ['loading'])
})

test('binary rubbish is told with its first 200 bytes, and the next message counts', t => {
  const rubbish = Buffer.concat([
    Buffer.from([0, 255, 254]),
    Buffer.alloc(500, 0x41),
    Buffer.from('\n'),
  ])
  const [text, message] = read([rubbish, '{"a":"\ufffd"}\nend\n'])
  t.is(text, `binary output of 503 bytes: \\x00\\xff\\xfe${'A'.repeat(197)}`)
  t.deepEqual(message, { a: '\ufffd' })
})

test('binary rubbish glued to a message does not cost the message', t => {
  const glued = Buffer.concat([Buffer.from([255, 254]), Buffer.from(' {"command":"sync"}\nend\n')])
  t.deepEqual(read([glued, '{"command":"sync"}\nend\n']), [
    '\ufffd\ufffd ',
    { command: 'sync' },
    { command: 'sync' },
  ])
})

test('a line or a message beyond the bound is a clear error', t => {
  for (const chunks of [
    ['x'.repeat(3_000)],
    ['x'.repeat(600), 'x'.repeat(600)],
    ['{\n', '"a":\n'.repeat(400)],
  ]) {
    const error = t.throws(() => read(chunks, 1_000), { instanceOf: EngineError })
    t.is(error.code, 'SHELL_PROTOCOL')
    t.regex(error.message, /of more than 1000 bytes, which begins with (x{200}$|\{)/)
    t.regex(error.hint!, /wire.message.bytes.max/)
  }
})

test('a line of 100 MB in chunks of 64 kB is refused at the bound, without reading on', t => {
  const reader = jsonSerializer.reader()
  const chunk = Buffer.alloc(64 * 1024, 0x20)
  const told: unknown[] = []
  const sink = { message: (m: unknown) => told.push(m), stray: (s: string) => told.push(s) }
  t.throws(
    () => {
      for (let i = 0; i < 1_600; i++) reader.push(chunk, sink)
    },
    { message: /more than 67108864 bytes/ },
  )
  t.deepEqual(told, [])
})

test('a message of 20 MB passes', t => {
  const text = 'y'.repeat(20 * 1024 * 1024)
  const bytes = Buffer.from(`{"a":"${text}"}\nend\n`)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536))
  t.is((read(chunks)[0] as { a: string }).a.length, text.length)
})

test('JSON nested too deep is told as stray output with the reason', t => {
  const deep = `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
  const [text, message] = read([`${deep}\nend\n{"a":1}\nend\n`])
  t.regex(text as string, /^JSON nested deeper than 512 levels: \{"a":\[\[/)
  t.deepEqual(message, { a: 1 })
})

test('what was begun and never ended can be asked for', t => {
  const reader = jsonSerializer.reader()
  const sink = { message: () => undefined, stray: () => undefined }
  t.is(reader.leftover(), undefined)
  reader.push(Buffer.from('{"a":1}\nend\n{"comm'), sink)
  t.is(reader.leftover(), '{"comm')
  reader.push(Buffer.from('and":1}\ne'), sink)
  t.is(reader.leftover(), '{"command":1}\ne')
})

test('however the bytes are cut, the same is told', t => {
  const piece = fc.constantFrom(
    '{"command":"emit","tuple":["é中😀",1.0]}\nend\n',
    '{"command":\n"sync"}\nend\n',
    'print é\n',
    '{"a":1}\r\nend\r\n',
    '{broken\n{"command":"sync"}\nend\n',
    '\n',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(fc.nat(400), { maxLength: 12 }),
      (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''))
        const at = [
          0,
          ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ]
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
        t.deepEqual(read(chunks), read([bytes]))
      },
    ),
    { numRuns: 300 },
  )
})

test('a tuple is written as the same message by its own way', t => {
  const one = jsonSerializer.writer()
  const other = jsonSerializer.writer()
  one.addTuple('7', 'a"b', 'de/fault', -1, ['x', null, 1.5])
  other.add({ id: '7', comp: 'a"b', stream: 'de/fault', task: -1, tuple: ['x', null, 1.5] })
  t.is(one.take(), other.take())
  t.is(one.take(), undefined)
})

test('a message that cannot be written leaves nothing behind', t => {
  const writer = jsonSerializer.writer()
  writer.add([1])
  t.throws(() => writer.add({ a: Buffer.alloc(1) }))
  t.throws(() => writer.addTuple('1', 'a', 'b', 1, [Buffer.alloc(1)]))
  t.is(writer.take(), '[1]\nend\n')
})
