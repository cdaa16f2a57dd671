// The classes of a topology's shell components, looked up in its jar.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { shellOrClass } from '../../../../storm-compat/jvm/shell-classes.ts'
import { type JarClasses, readJarClasses } from '../../../../storm-compat/nimbus/jar-classes.ts'
import type { Bolt, StormTopology } from '../../../../storm-compat/thrift/storm-topology.ts'
import { classFile } from '../jvm/_class-file.ts'
import { fixture } from '../jvm/_fixtures.ts'
import { type ZipFile, zip } from './_zip.ts'

/** A ShellBolt subclass, and one two below ShellBolt; and bytes that nobody can read. */
const SPLIT = fixture('2.8.1', 'split')
const CAPITALS = fixture('2.8.1', 'capitals')
const CLEANUP = classFile({ name: 'cleanup', descriptor: '()V' })
const PLAIN = classFile({ name: '<init>', descriptor: '()V' })

function message(...objects: readonly (Buffer | string)[]): StormTopology {
  const common = { inputs: [], streams: new Map() }
  const bolts = objects.map((value, i): [string, Bolt] => [
    `bolt-${i}`,
    {
      bolt_object:
        typeof value === 'string'
          ? { kind: 'java_object', value: { full_class_name: value, args_list: [] } }
          : { kind: 'serialized_java', value },
      common,
    },
  ])
  return { spouts: new Map(), bolts: new Map(bolts), state_spouts: new Map() }
}

async function classes(t: ExecutionContext, ...files: readonly ZipFile[]): Promise<JarClasses> {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const jar = join(dir, 'a.jar')
  writeFileSync(jar, zip(...files))
  return readJarClasses(
    jar,
    message(SPLIT, CAPITALS, Buffer.of(1, 2), 'com.example.Old'),
    shellOrClass,
  )
}

const SPLIT_CLASS = 'gearpump/fixture/Shells$SplitSentence.class'

test('a shell component whose class in the jar overrides a method is Java, and so are those of its subclasses', async t => {
  const { overrideOf } = await classes(t, { name: SPLIT_CLASS, content: CLEANUP })
  t.deepEqual(shellOrClass(SPLIT, overrideOf), {
    java: 'gearpump.fixture.Shells$SplitSentence: it starts a process, and overrides SplitSentence.cleanup in Java',
  })
  const capitals = shellOrClass(CAPITALS, overrideOf)
  t.regex('java' in capitals ? capitals.java : '', /Capitals.* overrides SplitSentence\.cleanup/)
})

test('a class that overrides nothing, or that is not in the jar, is its command', async t => {
  const { overrideOf } = await classes(
    t,
    { name: SPLIT_CLASS, content: PLAIN },
    { name: 'gearpump/fixture/Other.class', content: CLEANUP },
  )
  t.true('shell' in shellOrClass(SPLIT, overrideOf))
  t.true('shell' in shellOrClass(CAPITALS, overrideOf))
})

test('only the classes of shell components are read out of the jar; what is no class among them is refused', async t => {
  await t.notThrowsAsync(classes(t, { name: 'gearpump/fixture/Other.class', content: 'no class' }))
  await t.throwsAsync(classes(t, { name: SPLIT_CLASS, content: 'no class' }), {
    code: 'JAR_INVALID',
    message: /SplitSentence\.class in the jar is no Java class/,
  })
  await t.throwsAsync(classes(t, { name: SPLIT_CLASS, content: CLEANUP, bytes: 5_000_000 }), {
    code: 'JAR_INVALID',
    message: /has 5000000 bytes; 4194304 are taken/,
  })
})

test('a class that the topology names tells whether it is made for Storm before 1.0', async t => {
  const of = (root: string) =>
    classFile({ name: 'a', descriptor: `(L${root}/storm/tuple/Tuple;)V` })
  for (const [root, is] of [
    ['backtype', true],
    ['org/apache', false],
  ] as const) {
    const { isBacktype } = await classes(t, { name: 'com/example/Old.class', content: of(root) })
    t.is(isBacktype('com.example.Old'), is)
    t.false(isBacktype('com.example.Other'))
  }
})
