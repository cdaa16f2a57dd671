// The reader of Java object streams, on bytes that a JDK wrote and on streams made wrong by hand.

import test from 'ava'
import { EngineError } from '../../../../src/base/errors.ts'
import {
  fieldOf,
  isObject,
  type JavaArray,
  type JavaContent,
  type JavaObject,
  partOf,
} from '../../../../storm-compat/jvm/java-nodes.ts'
import {
  readJavaClass,
  readJavaObject,
  readJavaStream,
} from '../../../../storm-compat/jvm/java-stream.ts'
import { allFixtures, fixture } from './_fixtures.ts'

const nodes = () => (readJavaObject(fixture('jdk', 'nodes')) as JavaArray).items as JavaContent[]
const objectAt = (at: number) => nodes()[at] as JavaObject

/** `aced 0005` and what follows, as hexadecimal; texts in quotes become their length and bytes. */
function stream(...pieces: (string | Buffer)[]): Buffer {
  return Buffer.concat([
    Buffer.from('aced0005', 'hex'),
    ...pieces.map(piece => (typeof piece === 'string' ? Buffer.from(piece, 'hex') : piece)),
  ])
}

function name(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function refused(bytes: Buffer): { reason: string; offset: number } {
  try {
    readJavaStream(bytes)
  } catch (error) {
    if (error instanceof EngineError && error.code === 'JAVA_STREAM_INVALID') {
      return error.details as { reason: string; offset: number }
    }
    throw error
  }
  throw new Error('it was read')
}

test('every primitive type is read with its sign and size, and a transient field is not there', t => {
  const { fields } = objectAt(0).parts[0]!
  t.deepEqual(Object.fromEntries(fields), {
    b: -1,
    c: 'ß',
    d: 1.5,
    f: -0.25,
    i: -2147483648,
    j: 9223372036854775807n,
    s: -300,
    z: true,
  })
})

test('a cycle of objects is a cycle of nodes', t => {
  const first = objectAt(1)
  const second = fieldOf(first, 'next') as JavaObject
  t.is(fieldOf(second, 'name'), 'second')
  t.is(fieldOf(second, 'next'), first)
})

test('fields are kept apart by the class that declares them, and own data stands beside', t => {
  const sub = objectAt(2)
  const upper = partOf(sub, 'gearpump.fixture.MakeValues$Custom')!
  t.is(upper.fields.get('before'), 1)
  t.is(fieldOf(sub, 'before'), 2)
  const [before, between, ...behind] = upper.annotations
  t.deepEqual(before, { kind: 'block', bytes: Buffer.from([0, 0, 0, 42]) })
  t.is(between, 'between')
  t.true(behind.length > 0)
})

test('an Externalizable is kept as the bytes and values that it wrote', t => {
  const outside = objectAt(3)
  t.true(outside.class.externalizable)
  const [block, value] = outside.parts[0]!.annotations
  t.deepEqual(block, { kind: 'block', bytes: name('opaque') })
  t.true(isObject(value))
})

test('a dynamic proxy names its interfaces and holds its handler', t => {
  const proxy = objectAt(4)
  t.deepEqual(proxy.class.interfaces, ['gearpump.fixture.MakeValues$Greeter'])
  t.is(fieldOf(fieldOf(proxy, 'h') as JavaObject, 'greeting'), 'hello')
})

test('long texts, arrays of all types, classes and lambdas are read', t => {
  const [text, ...rest] = nodes().slice(5)
  t.is(text, 'x'.repeat(70_000))
  const items = rest.slice(0, 7).map(array => (array as JavaArray).items)
  t.deepEqual(items.slice(0, 6), [[1n << 60n], [0.5], ['q'], [true, false], [-1], [2.5]])
  t.deepEqual((items[6]![0] as JavaArray).items, ['a'])
  t.is(items[6]![1], null)
  t.like(rest[7], { kind: 'classObject', class: { name: 'int' } })
  t.is((rest[8] as JavaObject).className, 'java.lang.invoke.SerializedLambda')
})

test('blocks, a reset and nulls between objects are read in order', t => {
  const contents = readJavaStream(fixture('jdk', 'contents'))
  t.deepEqual(contents[0], { kind: 'block', bytes: Buffer.from([0, 0, 0, 7]) })
  t.deepEqual(contents.slice(1, 4), ['one', 'one', null])
  t.is((contents[4] as { bytes: Buffer }).bytes.length, 300)
})

test('a stream that its writer gave up names the exception', t => {
  const { reason } = refused(fixture('jdk', 'exception'))
  t.is(reason, 'its writer was stopped by an exception: java.io.NotSerializableException')
})

test('the class of an object is read without what follows it', t => {
  const bytes = fixture('2.8.1', 'split')
  const whole = readJavaObject(bytes) as JavaObject
  const cut = bytes.subarray(0, Math.floor(bytes.length * 0.9))
  t.deepEqual(readJavaClass(cut)?.name, whole.className)
  t.is(readJavaClass(stream('70')), undefined)
})

test('a stream that is cut anywhere is refused with the place', t => {
  for (const path of allFixtures().filter(path => !/nodes|contents|exception/.test(path))) {
    const [line, file] = path.split('/')
    const bytes = fixture(line!, file!)
    const step = Math.max(1, Math.floor(bytes.length / 200))
    for (let length = 5; length < bytes.length; length += step) {
      const { offset } = refused(bytes.subarray(0, length))
      t.true(offset <= length, `${path} cut at ${length}`)
    }
  }
})

test('what no writer writes is refused, each with its reason', t => {
  const classOf = (flags: string, above: string) =>
    Buffer.concat([
      Buffer.from('72', 'hex'),
      name('A'),
      Buffer.from(`0000000000000000${flags}000078${above}`, 'hex'),
    ])
  const cases: [Buffer, string][] = [
    [Buffer.from('cafebabe', 'hex'), 'it begins with cafe and not with aced'],
    [Buffer.from('aced0004', 'hex'), 'its version is 4, known is 5'],
    [stream('7f'), 'no value begins with 7f'],
    [stream('78'), 'no value begins with 78'],
    [stream('71007e0000'), 'nothing has the handle 7e0000'],
    [stream('71ffffffff'), 'nothing has the handle ffffffff'],
    [stream('7a80000000'), 'a block of -2147483648 bytes'],
    [stream('7a7fffffff'), '2147483647 bytes must follow, and 0 are left'],
    [stream('7cffffffffffffffff'), 'a text of -1 bytes, and 0 are left'],
    [stream('740002', 'c328'), 'a text is not in modified UTF-8'],
    [stream('740001', 'ff'), 'a text is not in modified UTF-8'],
    [stream('7370'), 'an object without a class'],
    [stream('73740000'), 'no class description begins with 74'],
    [stream('73', classOf('06', '70')), 'A is both Serializable and Externalizable'],
    [stream('73', classOf('04', '70')), 'A wrote itself in a form without an end'],
    [stream('73', classOf('02', '71007e0000')), 'the class A is above itself'],
    [stream('75', classOf('02', '70'), '00000000'), 'an array of the class A'],
    [stream('7d7fffffff'), 'a proxy of 2147483647 interfaces'],
    [stream('74000161', '7371007e0000'), 'a handle where a class must be names none'],
  ]
  for (const [bytes, reason] of cases) t.is(refused(bytes).reason, reason)
})

test('an array that claims more than the stream holds is refused before anything is made', t => {
  const ints = Buffer.concat([
    Buffer.from('7572', 'hex'),
    name('[I'),
    Buffer.from('000000000000000002000078', 'hex'),
  ])
  const bytes = stream(ints, '70', '7fffffff')
  t.is(refused(bytes).reason, 'an array of 2147483647 items, and 0 bytes are left')
})

test('values that nest deeper than any component are refused, not followed', t => {
  // An array in an array in an array…
  const head = Buffer.concat([
    Buffer.from('7572', 'hex'),
    name('[Ljava.lang.Object;'),
    Buffer.from('00000000000000000200007870', 'hex'),
  ])
  const nested = (depth: number) =>
    stream(head, '00000001', '7571007e000000000001'.repeat(depth), '70')
  t.is(readJavaStream(nested(300)).length, 1)
  t.is(refused(nested(500)).reason, 'values nest deeper than 400')
  t.is(refused(nested(200_000)).reason, 'values nest deeper than 400')
})

test('many objects of a class with a long chain are refused by their number', t => {
  const chain = Array.from({ length: 350 }, (_, i) =>
    Buffer.concat([
      Buffer.from('72', 'hex'),
      name(`C${i}`),
      Buffer.from('000000000000000002000078', 'hex'),
    ]),
  )
  const again = Buffer.from('7371007e0000', 'hex')
  const bytes = stream('73', ...chain, '70', ...Array(3000).fill(again))
  t.is(refused(bytes).reason, 'it holds more than 1000000 values')
})
