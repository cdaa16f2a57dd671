// `storm jar`, `storm shell` and the jars that they make and read, without a JVM and without a socket.
import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { writeJar } from '../../../../storm-compat/cli/jar-writer.ts'
import { shellWords } from '../../../../storm-compat/cli/java-launch.ts'
import { unpackResources } from '../../../../storm-compat/nimbus/jar-resources.ts'
import { type World, world } from './_surroundings.ts'

const run = promisify(execFile)

async function release(w: World): Promise<string> {
  const home = join(w.dir, 'release')
  for (const folder of ['lib', 'lib-worker', 'extlib', 'bin']) {
    await mkdir(join(home, folder), { recursive: true })
  }
  await writeFile(join(w.dir, 'x.jar'), 'PK')
  return home
}

test("a main class is run as Storm's own command runs it, and its exit code is ours", async t => {
  const env: Record<string, string> = {}
  const w = await world(t, { env, programExit: 3 })
  const home = await release(w)
  Object.assign(env, { STORM_HOME: home, STORM_JAR_JVM_OPTS: '-Xmx64m "-Da=b c"' })
  const settings = ['-c', 'nimbus.seeds=["a b"]', '-c', 'x=1,2']
  const line = ['jar', 'x.jar', 'my.Main', 'one', '--two', ...settings, '--jars', 'y.jar,z.jar']
  t.is(await w.run(...line), 3)
  const [program] = w.programs
  t.is(program!.command, 'java')
  const path = [home, join(home, 'lib-worker'), join(home, 'extlib')].map(dir => join(dir, '*'))
  t.deepEqual(program!.args, [
    '-client',
    '-Ddaemon.name=',
    '-Dstorm.options=nimbus.seeds%3D%5B%22a+b%22%5D,x%3D1%2C2',
    `-Dstorm.home=${home}`,
    `-Dstorm.log.dir=${join(home, 'logs')}`,
    '-Djava.library.path=/usr/local/lib:/opt/local/lib:/usr/lib:/usr/lib64',
    '-Dstorm.conf.file=',
    '-cp',
    [...path, 'x.jar', join(home, 'conf'), join(home, 'bin'), 'y.jar', 'z.jar'].join(':'),
    '-Xmx64m',
    '-Da=b c',
    '-Dstorm.jar=x.jar',
    '-Dstorm.dependency.jars=y.jar,z.jar',
    '-Dstorm.dependency.artifacts={}',
    'my.Main',
    'one',
    '--two',
  ])
  t.regex(w.printed(), /^Running: java -client /)
})

test('JAVA_HOME, --config and --storm-server-classpath are respected', async t => {
  const env: Record<string, string> = {}
  const w = await world(t, { env })
  const home = await release(w)
  Object.assign(env, { STORM_HOME: home, JAVA_HOME: '/java', STORM_EXT_CLASSPATH: '/ext.jar' })
  await writeFile(join(w.dir, 'my.yaml'), 'storm.log.dir: /logs')
  const line = ['jar', '--storm-server-classpath', '--config', 'my.yaml', 'x.jar', 'my.Main']
  t.is(await w.run(...line), 0)
  const { command, args } = w.programs[0]!
  t.is(command, '/java/bin/java')
  t.true(args.includes('-Dstorm.conf.file=my.yaml'))
  t.true(args.includes('-Dstorm.log.dir=/logs'))
  const path = args[args.indexOf('-cp') + 1]!
  t.true(path.startsWith(`${join(home, '*')}:${join(home, 'lib', '*')}:`))
  t.true(path.includes(':/ext.jar:'))
  t.is(await w.run('classpath'), 0)
  t.regex(w.printed(), /lib-worker\/\*:.*extlib\/\*:\/ext\.jar\n$/)
})

test('without a release, jars of the cache are used; without any, what to do is told', async t => {
  const w = await world(t)
  await writeFile(join(w.dir, 'x.jar'), 'PK')
  t.is(await w.run('jar', 'x.jar', 'my.Main'), 1)
  t.regex(w.notes(), /no jars of Storm's client in .*\n {2}set STORM_HOME/)
  const folder = join(w.dir, '.cache', 'gearpump', 'storm-client')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'storm-client.jar'), '')
  t.is(await w.run('jar', 'x.jar', 'my.Main'), 0)
  t.is(w.programs[0]!.args[8], `${join(folder, '*')}:x.jar`)
})

test('a jar that is not there, and artifacts to download, are refused', async t => {
  const w = await world(t)
  t.is(await w.run('jar', 'none.jar', 'my.Main'), 1)
  t.regex(w.notes(), /none\.jar is not there/)
  t.is(await w.run('jar'), 2)
  t.is(await w.run('jar', 'none.jar'), 2)
  await writeFile(join(w.dir, 'x.jar'), 'PK')
  t.is(await w.run('jar', 'x.jar', 'my.Main', '--artifacts', 'a:b:1'), 2)
})

test('words of options are parted as a shell does', t => {
  t.deepEqual(shellWords(`-Xmx1g  "-Da=b c" '-Dd=e"f' g\\ h "i\\"j"`), [
    '-Xmx1g',
    '-Da=b c',
    '-Dd=e"f',
    'g h',
    'i"j',
  ])
  t.deepEqual(shellWords(''), [])
})

test('a folder becomes a jar that Nimbus and other tools read', async t => {
  const w = await world(t)
  const folder = join(w.dir, 'resources')
  await mkdir(join(folder, 'deep', 'er'), { recursive: true })
  await writeFile(join(folder, 'split.py'), 'print(1)\n'.repeat(20_000))
  await writeFile(join(folder, 'deep', 'er', 'häße.txt'), '')
  await writeFile(join(folder, 'run'), '#!/bin/sh\n')
  await chmod(join(folder, 'run'), 0o755)
  const jar = join(w.dir, 'x.jar')
  await writeJar(jar, 'resources/', w.dir)
  const target = join(w.dir, 'unpacked')
  await mkdir(target)
  t.is(await unpackResources(jar, target), 3)
  t.is(await readFile(join(target, 'split.py'), 'utf8'), 'print(1)\n'.repeat(20_000))
  t.is(await readFile(join(target, 'deep', 'er', 'häße.txt'), 'utf8'), '')
  const list =
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), sorted(z.namelist()))'
  const { stdout } = await run('python3', ['-c', list, jar])
  t.is(stdout.trim(), "None ['resources/deep/er/häße.txt', 'resources/run', 'resources/split.py']")
  await t.throwsAsync(writeJar(join(w.dir, 'y.jar'), 'none', w.dir), { code: 'BAD_INPUT' } as never)
})

test('storm shell uploads the folder and tells the program where Nimbus and the jar are', async t => {
  const uploaded: Buffer[] = []
  const w = await world(t, {
    programExit: 5,
    answers: {
      getLeader: { host: 'leader', port: 7000 },
      beginFileUpload: '/inbox/stormjar-1.jar',
      uploadChunk: ({ chunk }: { chunk: Buffer }) => void uploaded.push(Buffer.from(chunk)),
      finishFileUpload: undefined,
    },
  })
  await mkdir(join(w.dir, 'resources'))
  await writeFile(join(w.dir, 'resources', 'a.py'), 'pass')
  t.is(await w.run('shell', 'resources', 'python3', 'topology.py', '-x', 'wc'), 5)
  t.deepEqual(w.programs, [
    {
      command: 'python3',
      args: ['topology.py', '-x', 'wc', 'leader', '7000', '/inbox/stormjar-1.jar'],
    },
  ])
  t.is(Buffer.concat(uploaded).readUInt32LE(0), 0x04034b50)
  t.is(await w.run('shell', 'resources'), 2)
  t.is(await w.run('shell', 'none', 'python3'), 1)
})
