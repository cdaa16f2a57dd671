// Java's collections as plain values, on what a JDK wrote.

import test from 'ava'
import { EngineError } from '../../../../src/base/errors.ts'
import type { JavaArray, JavaValue } from '../../../../storm-compat/jvm/java-nodes.ts'
import { readJavaObject } from '../../../../storm-compat/jvm/java-stream.ts'
import {
  type PlainValue,
  plainValue,
  textMapOf,
  textsOf,
} from '../../../../storm-compat/jvm/java-values.ts'
import { fixture, linesWith } from './_fixtures.ts'

const all = plainValue(readJavaObject(fixture('jdk', 'collections'))) as ReadonlyMap<
  string,
  PlainValue
>

test('lists, sets and queues of the JDK become arrays', t => {
  const abc = ['a', 'b', 'c']
  const names = ['Arrays.asList', 'ArrayList', 'LinkedList', 'ArrayDeque', 'Vector']
  for (const name of [...names, 'CopyOnWriteArrayList', 'LinkedHashSet', 'TreeSet']) {
    t.deepEqual(all.get(name), abc, name)
  }
  t.deepEqual(all.get('HashSet'), ['only'])
})

test('maps of the JDK become maps', t => {
  for (const name of ['HashMap', 'Hashtable', 'ConcurrentHashMap']) {
    t.deepEqual(all.get(name), new Map([['k', 1]]), name)
  }
  const two = new Map([
    ['k', 1],
    ['l', 2],
  ])
  t.deepEqual(all.get('TreeMap'), two)
  t.deepEqual(all.get('Properties'), new Map([['key', 'value']]))
  t.deepEqual(all.get('EnumMap'), new Map([['SECONDS', 3]]))
})

test('wrapped, single, empty and immutable collections are what they hold', t => {
  const abc = ['a', 'b', 'c']
  const k = (value: number) => new Map([['k', value]])
  t.deepEqual(all.get('unmodifiable'), [abc, abc, k(1)])
  t.deepEqual(all.get('synchronized'), [abc, k(1)])
  t.deepEqual(all.get('singleton'), [[1], [2], k(3)])
  t.deepEqual(all.get('empty'), [[], [], new Map(), []])
  t.deepEqual(all.get('of'), [[], [1], [1, 2, 3], ['s'], new Map(), k(1)])
})

test('boxed values, big integers, enums, classes, bytes and texts keep what they are', t => {
  t.deepEqual(all.get('boxed'), [1, 2n, 3, 4, 1.5, 2.5, true, 'x'])
  t.is(all.get('BigInteger'), -123456789012345678901234567890n)
  t.deepEqual(all.get('atomic'), [1, 2n, 'r', true])
  t.is(all.get('enum'), 'MINUTES')
  t.is(all.get('class'), 'java.lang.String')
  t.deepEqual(all.get('bytes'), Buffer.from([0, 255, 127]))
  t.deepEqual(all.get('ints'), [1, -2])
  t.is(all.get('null'), null)
  t.is(all.get('text'), 'häße 🙂 \u0000 end')
})

test("Guava's immutable collections are read, also from the packages that Storm moved them to", t => {
  t.deepEqual(linesWith('guava'), ['1.2.4', '2.8.1'])
  const two = new Map([
    ['k', 1],
    ['l', 2],
  ])
  const ab = ['a', 'b']
  for (const line of ['1.2.4', '2.8.1']) {
    const read = plainValue(readJavaObject(fixture(line, 'guava')))
    t.deepEqual(read, [ab, ab, two, new Map([['k', 'v']]), two, ab, [], new Map()], line)
  }
})

test('texts and maps of texts are told from other values', t => {
  const of = (items: JavaValue[]): JavaArray => ({ kind: 'array', className: '[L', items })
  t.deepEqual(textsOf(of(['a', 'b'])), ['a', 'b'])
  t.is(textsOf(of(['a', 1])), undefined)
  t.is(textsOf('a'), undefined)
  t.is(textsOf(null), undefined)
  t.is(textMapOf(of([])), undefined)
})

test('a collection that holds itself, or grows when it is written out, is refused', t => {
  const items: JavaValue[] = []
  const self: JavaArray = { kind: 'array', className: '[Ljava.lang.Object;', items }
  items.push(self)
  t.is(code(self), 'JAVA_STREAM_INVALID')
  // Ten references to ten references to …: small as a graph, 10^9 as a tree.
  let growing: JavaArray = { kind: 'array', className: '[L', items: [1] }
  for (let i = 0; i < 9; i++) {
    growing = { kind: 'array', className: '[L', items: Array(10).fill(growing) }
  }
  t.is(code(growing), 'JAVA_STREAM_INVALID')
})

function code(value: JavaValue): string | undefined {
  try {
    plainValue(value)
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
  return undefined
}
