import test from 'ava'
import fc from 'fast-check'
import '../../seed.ts'
import { EngineError } from 'gearpump'
import { struct, union } from '../../../../storm-compat/thrift/codec.ts'
import { FrameSplitter } from '../../../../storm-compat/thrift/framing.ts'
import { readArgs, readCall } from '../../../../storm-compat/thrift/service.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import {
  binary,
  CONTAINER_ITEMS_MAX,
  Input,
  i32,
  list,
  map,
  string,
  type WireType,
} from '../../../../storm-compat/thrift/wire-types.ts'

const hex = (...parts: string[]) => Buffer.from(parts.join(''), 'hex')
const readError = (type: WireType<unknown>, bytes: Buffer): string => {
  try {
    type.read(new Input(bytes))
  } catch (error) {
    if (error instanceof EngineError && error.code === 'THRIFT_INVALID') return error.message
    throw error
  }
  return 'it was read'
}

test('a string of 2 GB in a frame of ten bytes is refused', t => {
  t.is(
    readError(string, hex('7fffffff', '616263646566')),
    '2147483647 bytes are declared at byte 4, and 6 are left',
  )
  t.is(
    readError(binary, hex('7fffffff', '616263646566')),
    '2147483647 bytes are declared at byte 4, and 6 are left',
  )
})

test('a container of 2 G elements is refused before room is made for it', t => {
  const message = 'a list<i32> declares 2147483647 elements, and 4 bytes are left'
  t.is(readError(list(i32), hex('08', '7fffffff', '00000000')), message)
  t.regex(readError(list(i32), hex('08', 'ffffffff', '00000000')), /declares -1 elements/)
  t.regex(readError(map(string, i32), hex('0b08', '7fffffff')), /map<string,i32> declares/)
})

test('more elements than any topology has are refused, also when they are there', t => {
  const count = CONTAINER_ITEMS_MAX + 1
  const head = Buffer.alloc(5)
  head[0] = 8
  head.writeInt32BE(count, 1)
  const message = readError(list(i32), Buffer.concat([head, Buffer.alloc(4 * count)]))
  t.regex(message, /declares 100001 elements: at most 100000 in one, 1000000 in a message/)
})

test('many containers of one message have a bound together', t => {
  const count = CONTAINER_ITEMS_MAX
  const inner = Buffer.alloc(5 + 4 * count)
  inner[0] = 8
  inner.writeInt32BE(count, 1)
  const outer = hex('0f', '0000000b')
  const message = readError(
    list(list(i32)),
    Buffer.concat([outer, ...Array.from({ length: 11 }, () => inner)]),
  )
  t.regex(message, /1000000 in a message/)
})

test('a container of another element type is refused; an empty one may name none', t => {
  t.is(
    readError(list(i32), hex('0b', '00000001', '00000000')),
    'a list<i32> holds elements of type 11 instead of 8',
  )
  t.deepEqual(list(i32).read(new Input(hex('00', '00000000'))), [])
})

test('a required field that is missing or of another type is named', t => {
  const Pair = struct('Pair', { left: [1, i32], right: [2, string] })
  t.is(readError(Pair, hex('08', '0001', '00000005', '00')), 'Pair.right is missing')
  const wrong = hex('0b', '0001', '00000000', '0b', '0002', '00000000', '00')
  t.is(readError(Pair, wrong), 'Pair.left is missing')
})

test('a union that is empty or holds two values is refused', t => {
  const Either = union('Either', { left: [1, i32], right: [2, string] })
  t.is(readError(Either, hex('00')), 'a Either is empty')
  const two = hex('08', '0001', '00000005', '08', '0001', '00000005', '00')
  t.is(readError(Either, two), 'a Either holds more than one value')
})

test('unknown fields nested without end are refused by their depth', t => {
  const nested = Buffer.concat(Array.from({ length: 100_000 }, () => hex('0c', '0063')))
  const call = readCall(Buffer.concat([hex('80010001', '00000001', '61', '00000000'), nested]))
  t.regex(t.throws(() => readArgs(call, nimbusMethods.getLeader))!.message, /depth/)
})

test('a negative length is refused', t => {
  const name = hex('0b', '0001', 'ffffffff')
  const call = readCall(Buffer.concat([hex('80010001', '00000001', '61', '00000000'), name]))
  t.regex(t.throws(() => readArgs(call, nimbusMethods.killTopology))!.message, /[Nn]egative/)
})

test('what is no call is refused', t => {
  const codeOf = (bytes: Buffer) =>
    t.throws(() => readCall(bytes), { instanceOf: EngineError })?.message
  t.regex(codeOf(Buffer.alloc(0))!, /are left/)
  t.regex(codeOf(hex('80020001'))!, /version/)
  t.is(
    codeOf(hex('80010002', '00000001', '61', '00000000'))!,
    'a message of type 2 instead of a call',
  )
})

test('a call without version word, as old clients write it, is read', t => {
  const call = readCall(hex('00000004', '6b696c6c', '01', '00000009', '00'))
  t.is(call.name, 'kill')
  t.is(call.id, 9)
  t.is(
    t.throws(() => readArgs(call, nimbusMethods.killTopology))?.message,
    'arguments.name is missing',
  )
})

test('frames are cut wherever the chunks end', t => {
  const stream = hex('00000003', '616263', '00000000', '00000002', '6465')
  t.true(new FrameSplitter(100).framed)
  for (let cut = 0; cut <= stream.length; cut++) {
    const splitter = new FrameSplitter(100)
    const frames: string[] = []
    for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
      splitter.push(chunk)
      for (let f = splitter.next(); f !== undefined; f = splitter.next()) frames.push(f.toString())
    }
    t.deepEqual(frames, ['abc', '', 'de'])
    t.is(splitter.held, 0)
  }
})

test('a frame that is too long is refused by its length alone, and other protocols by name', t => {
  const refusal = (head: Buffer) => {
    const splitter = new FrameSplitter(100)
    splitter.push(head)
    return t.throws(() => splitter.next(), { instanceOf: EngineError })?.message
  }
  t.is(refusal(hex('00000065')), 'a frame declares 101 bytes; at most 100 are taken')
  t.regex(refusal(hex('ffffffff'))!, /declares -1 bytes/)
  t.regex(refusal(Buffer.from('GET / HTTP/1.1'))!, /HTTP/)
  t.regex(refusal(hex('1603010200'))!, /TLS/)
  t.regex(refusal(hex('010000000a'))!, /SASL/)
})

test('messages without frames are cut wherever the chunks end', t => {
  const one = hex(
    '80010001',
    '00000004',
    '6b696c6c',
    '00000001',
    '0b0001',
    '00000002',
    '7763',
    '00',
  )
  const two = hex('80010001', '00000004', '6c697374', '00000002', '00')
  const stream = Buffer.concat([one, two])
  for (let cut = 0; cut <= stream.length; cut++) {
    const splitter = new FrameSplitter(100)
    const messages: Buffer[] = []
    for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
      splitter.push(chunk)
      for (let m = splitter.next(); m !== undefined; m = splitter.next()) messages.push(m)
    }
    t.deepEqual(messages, [one, two], `cut at ${cut}`)
    t.is(splitter.held, 0)
    t.false(splitter.framed)
  }
})

test('a message without frames that declares more than a frame may hold is refused at once', t => {
  const splitter = new FrameSplitter(100)
  splitter.push(hex('80010001', '00000004', '6b696c6c', '00000001', '0b0001', '7fffffff', '7763'))
  t.regex(t.throws(() => splitter.next())!.message, /2147483647 bytes are declared/)
})

test('a message without frames is looked at once, however many pieces it comes in', t => {
  // A list of strings of one letter, as large as a frame may be: looked at anew for each piece it took minutes.
  const items = 3_000_000
  const head = hex('80010001', '00000004', '6b696c6c', '00000001', '0f0001', '0b')
  const count = Buffer.alloc(4)
  count.writeInt32BE(items)
  const strings = Buffer.alloc(5 * items, hex('0000000161'))
  const message = Buffer.concat([head, count, strings, Buffer.of(0)])
  const splitter = new FrameSplitter(16_384_000)
  let found: Buffer | undefined
  const startedMs = performance.now()
  for (let at = 0; at < message.length; at += 16_384) {
    t.is(found, undefined)
    splitter.push(message.subarray(at, at + 16_384))
    found = splitter.next()
  }
  t.true(message.equals(found!))
  const tookMs = performance.now() - startedMs
  t.true(tookMs < 20_000, `it took ${tookMs} ms`)
})

test('a message without frames ends where npm thrift says, whatever is in it', t => {
  const { value } = fc.letrec<{ value: Buffer }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(hex('02', '01'), hex('03', '07'), hex('06', '0102'), hex('08', '01020304')),
      fc.constantFrom(hex('04', '0102030405060708'), hex('0a', '0102030405060708')),
      fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.concat([hex('0b'), sized(bytes)])),
      fc
        .array(tie('value'), { maxLength: 4 })
        .map(all => Buffer.concat([hex('0c'), structure(all)])),
      fc.tuple(fc.constantFrom('0e', '0f'), tie('value'), fc.nat(4)).map(listOf),
      fc.tuple(tie('value'), tie('value'), fc.nat(3)).map(mapOf),
    ),
  }))
  const cuts = fc.array(fc.nat(200), { maxLength: 5 })
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), cuts, (fields, at) => {
      const message = Buffer.concat([
        hex('80010001', '00000001', '6b', '00000001'),
        structure(fields),
      ])
      const input = new Input(message)
      input.protocol.readMessageBegin()
      input.protocol.skip(12)
      t.is(input.bytes.position, message.length)
      const stream = Buffer.concat([message, message])
      const splitter = new FrameSplitter(100_000)
      const found: Buffer[] = []
      const ends = [...at.map(cut => Math.min(cut, stream.length)), stream.length].sort(
        (a, b) => a - b,
      )
      let from = 0
      for (const end of ends) {
        splitter.push(stream.subarray(from, end))
        from = end
        for (let m = splitter.next(); m !== undefined; m = splitter.next()) found.push(m)
      }
      t.deepEqual(found, [message, message])
    }),
    { numRuns: 300 },
  )
})

// A value is its type's byte and its bytes.
function structure(values: readonly Buffer[]): Buffer {
  const fields = values.flatMap(value => [value.subarray(0, 1), hex('0001'), value.subarray(1)])
  return Buffer.concat([...fields, Buffer.of(0)])
}

function sized(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function listOf([type, item, count]: [string, Buffer, number]): Buffer {
  const items = Array.from({ length: count }, () => item.subarray(1))
  return Buffer.concat([hex(type), item.subarray(0, 1), counted(count), ...items])
}

function mapOf([key, item, count]: [Buffer, Buffer, number]): Buffer {
  const items = Array.from({ length: count }, () => [key.subarray(1), item.subarray(1)]).flat()
  const types = [key.subarray(0, 1), item.subarray(0, 1)]
  return Buffer.concat([hex('0d'), ...types, counted(count), ...items])
}

function counted(count: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(count)
  return bytes
}
