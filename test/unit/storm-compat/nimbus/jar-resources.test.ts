import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  type ResourceLimits,
  unpackResources,
} from '../../../../storm-compat/nimbus/jar-resources.ts'
import { type ZipFile, zip } from './_zip.ts'

function folder(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function unpack(t: ExecutionContext, jar: Buffer, limits?: ResourceLimits) {
  const dir = folder(t)
  const file = join(dir, 'a.jar')
  const into = join(dir, 'deep', 'into')
  writeFileSync(file, jar)
  mkdirSync(into, { recursive: true })
  const files = await unpackResources(file, into, limits)
  return { into, files, dir }
}

const listed = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => entry.name)
    .sort()

async function refusal(t: ExecutionContext, jar: Buffer, limits?: ResourceLimits) {
  const error = await t.throwsAsync(unpack(t, jar, limits), { code: 'JAR_INVALID' })
  return error?.message ?? ''
}

test('resources lie without their prefix, packed or stored, and nothing else is unpacked', async t => {
  const { into, files } = await unpack(
    t,
    zip(
      { name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0' },
      { name: 'resources/' },
      { name: 'resources/split.py', content: 'print()\n'.repeat(1000) },
      { name: 'resources/lib/a/b.bin', content: Buffer.alloc(100, 0xff), stored: true },
      { name: 'resources/größe.txt', content: '' },
    ),
  )
  t.is(files, 3)
  t.deepEqual(listed(into), ['b.bin', 'größe.txt', 'split.py'])
  t.is(readFileSync(join(into, 'split.py'), 'utf8'), 'print()\n'.repeat(1000))
  t.deepEqual(readFileSync(join(into, 'lib/a/b.bin')), Buffer.alloc(100, 0xff))
})

test('the permission to execute is kept where the maker knew it', async t => {
  const { into } = await unpack(
    t,
    zip(
      { name: 'resources/run', content: 'x', mode: 0o100755 },
      { name: 'resources/read', content: 'x', mode: 0o100644 },
    ),
  )
  t.is(statSync(join(into, 'run')).mode & 0o777, 0o700)
  t.is(statSync(join(into, 'read')).mode & 0o777, 0o600)
})

test('a jar that another tool made is read', async t => {
  const dir = folder(t)
  mkdirSync(join(dir, 'resources'))
  writeFileSync(join(dir, 'resources', 'x.py'), 'x = 1\n'.repeat(500))
  execFileSync('python3', ['-m', 'zipfile', '-c', 'made.jar', 'resources/'], { cwd: dir })
  const { into, files } = await unpack(t, readFileSync(join(dir, 'made.jar')))
  t.is(files, 1)
  t.is(readFileSync(join(into, 'x.py'), 'utf8'), 'x = 1\n'.repeat(500))
})

test('a path that leads out of the directory is refused, and nothing lies outside', async t => {
  for (const path of [
    'resources/../../../evil',
    'resources/a/../../evil',
    'resources//etc/evil',
    'resources/a\\..\\evil',
    'resources/C:evil',
    'resources/./evil',
    'resources/a\0b',
    `resources/${'d/'.repeat(100)}evil`,
    `resources/${'long'.repeat(300)}`,
  ]) {
    t.regex(await refusal(t, zip({ name: path, content: 'x' })), /path that can be used/, path)
  }
})

test('a symbolic link is refused', async t => {
  const link: ZipFile = { name: 'resources/link', content: '/etc/passwd', mode: 0o120777 }
  t.regex(await refusal(t, zip(link)), /"resources\/link" is a symbolic link/)
})

test('a bomb is refused by what it declares, and by what it is', async t => {
  const limits = { files: 3, bytes: 10_000 }
  const large = zip({ name: 'resources/a', content: Buffer.alloc(20_000) })
  t.regex(await refusal(t, large, limits), /would unpack to 20000 bytes; 10000 are taken/)
  const lying = zip({ name: 'resources/a', content: Buffer.alloc(20_000), bytes: 100 })
  t.regex(await refusal(t, lying, limits), /"resources\/a" is larger than it declares/)
  const many = zip(...['a', 'b', 'c', 'd'].map(name => ({ name: `resources/${name}` })))
  t.regex(await refusal(t, many, limits), /4 resources; 3 are taken/)
})

test('what is damaged, encrypted, packed in another way or no zip at all is refused by name', async t => {
  const content = 'hello hello hello'
  t.regex(
    await refusal(t, zip({ name: 'resources/a', content, crc: 5 })),
    /"resources\/a" is damaged/,
  )
  t.regex(await refusal(t, zip({ name: 'resources/a', content, bytes: 99 })), /is damaged/)
  t.regex(await refusal(t, zip({ name: 'resources/a', content, flags: 1 })), /is encrypted/)
  t.regex(
    await refusal(t, zip({ name: 'resources/a', content, method: 12 })),
    /packed in a way \(12\)/,
  )
  t.regex(
    await refusal(t, zip({ name: 'resources/a', content, offset: 7 })),
    /not where the directory/,
  )
  t.regex(
    await refusal(t, zip({ name: 'resources/a', content, stored: true, method: 8 })),
    /resources/,
  )
  t.regex(await refusal(t, Buffer.from('#!/bin/sh\n')), /no jar or zip file/)
  t.regex(await refusal(t, Buffer.alloc(0)), /no jar or zip file/)
})

test('two entries of one path, and a file that is also a folder, are refused', async t => {
  const twice = { name: 'resources/a', content: 'x' }
  t.regex(await refusal(t, zip(twice, twice)), /"resources\/a"/)
  t.regex(
    await refusal(t, zip(twice, { name: 'resources/a/b', content: 'x' })),
    /"resources\/a\/b"/,
  )
})

test('a jar that is cut anywhere is refused, and never hangs', async t => {
  const jar = zip(
    { name: 'resources/a', content: 'hello' },
    { name: 'resources/b', content: 'hello' },
  )
  for (let length = 0; length < jar.length; length += 3) await refusal(t, jar.subarray(0, length))
  t.pass()
})

test.serial('a jar of many entries is unpacked without a warning', async t => {
  const warnings: Error[] = []
  const heard = (warning: Error) => void warnings.push(warning)
  process.on('warning', heard)
  t.teardown(() => process.off('warning', heard))
  const content = 'x'.repeat(100)
  const names = Array.from({ length: 40 }, (_, i) => `resources/${i}.txt`)
  const { files } = await unpack(t, zip(...names.map(name => ({ name, content }))))
  t.is(files, 40)
  await new Promise(setImmediate)
  t.deepEqual(warnings, [])
})
