// What a class file tells of its methods, and which of them make a shell component one that needs Java.
import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { EngineError } from '../../../../src/base/errors.ts'
import { classMethods } from '../../../../storm-compat/jvm/class-file.ts'
import { overridingMethod } from '../../../../storm-compat/jvm/shell-overrides.ts'
import { classFile } from './_class-file.ts'
import '../../seed.ts'

/**
 * As javac 17 wrote it: a constructor, an execute(Object) with a lambda that joins texts, a private readObject, a static cleanup,
 * fields with constants of each type. So it has constants of nearly all kinds.
 */
const ODD = readFileSync('test/fixtures/java/Odd.class')

test('the methods of a class that a compiler made are read, whatever its constants are', t => {
  t.deepEqual(
    classMethods('Odd.class', ODD).map(
      ({ name, descriptor, isStatic, isPrivate }) =>
        `${isPrivate ? 'private ' : ''}${isStatic ? 'static ' : ''}${name}${descriptor}`,
    ),
    [
      '<init>()V',
      'execute(Ljava/lang/Object;)V',
      'private readObject(Ljava/io/ObjectInputStream;)V',
      'static cleanup()V',
      'private lambda$execute$0()V',
    ],
  )
})

const PREPARE = (root: string, collector: string) =>
  `(Ljava/util/Map;L${root}/storm/task/TopologyContext;L${root}/storm/${collector};)V`

test('methods that Storm calls while a topology runs are overriding, in the packages of all lines', t => {
  const declared = (name: string, descriptor: string, access?: number) =>
    overridingMethod('A.class', classFile({ name, descriptor, ...(access && { access }) }))
  for (const root of ['backtype', 'org/apache']) {
    t.is(declared('execute', `(L${root}/storm/tuple/Tuple;)V`), 'execute')
    t.is(declared('prepare', PREPARE(root, 'task/OutputCollector')), 'prepare')
    t.is(declared('open', PREPARE(root, 'spout/SpoutOutputCollector')), 'open')
    t.is(
      declared('declareOutputFields', `(L${root}/storm/topology/OutputFieldsDeclarer;)V`),
      undefined,
    )
  }
  t.is(declared('nextTuple', '()V'), 'nextTuple')
  t.is(declared('ack', '(Ljava/lang/Object;)V'), 'ack')
  t.is(declared('readResolve', '()Ljava/lang/Object;', 2), 'readResolve')
  t.is(declared('getComponentConfiguration', '()Ljava/util/Map;'), undefined)
})

test('methods of such a name that override nothing are not', t => {
  const ack = { name: 'ack', descriptor: '(Ljava/lang/Object;)V' }
  t.is(overridingMethod('A.class', classFile({ ...ack, access: 8 })), undefined)
  t.is(overridingMethod('A.class', classFile({ ...ack, access: 2 })), undefined)
  t.is(overridingMethod('A.class', classFile({ ...ack, descriptor: '(I)V' })), undefined)
  // Private, but Java calls it.
  t.is(overridingMethod('Odd.class', ODD), 'readObject')
})

test('a class file that is cut or changed is read or refused by its name, and nothing else happens', t => {
  for (let end = 0; end < ODD.length - 80; end++) {
    t.throws(() => classMethods('a/B.class', ODD.subarray(0, end)), {
      code: 'JAR_INVALID',
      message: 'a/B.class in the jar is no Java class, or is cut',
    })
  }
  const changes = fc.array(fc.tuple(fc.nat(ODD.length - 1), fc.nat(255)), { maxLength: 20 })
  let refused = 0
  fc.assert(
    fc.property(changes, list => {
      const bytes = Buffer.from(ODD)
      for (const [at, value] of list) bytes[at] = value
      try {
        classMethods('B.class', bytes)
      } catch (error) {
        refused++
        t.true(error instanceof EngineError && error.code === 'JAR_INVALID', String(error))
      }
    }),
    { numRuns: 5_000 },
  )
  t.true(refused > 500)
})
