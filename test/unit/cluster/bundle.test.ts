import { execFileSync } from 'node:child_process'
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { asError, type EngineError, type UserError } from '../../../src/base/errors.ts'
import { makeBundle } from '../../../src/cluster/bundle.ts'
import { unpackBundle } from '../../../src/cluster/bundle-unpack.ts'
import { ignoreRules } from '../../../src/cluster/ignore-rules.ts'
import { DEFAULT_LIMITS } from '../../../src/cluster/zip-format.ts'
import '../seed.ts'
import { type Made, zipOf } from './_zips.ts'

let top = ''
let folders = 0

test.before(async () => {
  top = await mkdtemp(join(tmpdir(), 'gear-bundle-'))
})

test.after.always(() => rm(top, { recursive: true, force: true }))

async function folder(files: Readonly<Record<string, string | Buffer>> = {}): Promise<string> {
  const path = join(top, `folder-${folders++}`)
  await mkdir(path)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), content)
  }
  return path
}

const fresh = (ending = '') => join(top, `fresh-${folders++}${ending}`)

async function bundled(directory: string) {
  return makeBundle(directory, { out: fresh('.zip') })
}

async function contents(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    if ((await stat(join(directory, name))).isFile())
      found[name] = await readFile(join(directory, name), 'latin1')
  }
  return found
}

async function unpacked(archive: string, options = {}): Promise<Record<string, string>> {
  const target = fresh()
  await unpackBundle(archive, target, options)
  return contents(target)
}

async function zipped(files: readonly Made[] | Buffer): Promise<string> {
  const path = fresh('.zip')
  await writeFile(path, Buffer.isBuffer(files) ? files : zipOf(files))
  return path
}

async function problemsOf(directory: string): Promise<string[]> {
  const error = await makeBundle(directory, { out: fresh('.zip') }).then(
    () => undefined,
    thrown => thrown as UserError,
  )
  if (error?.code !== 'BUNDLE_REFUSED') throw new Error(`not refused: ${error}`)
  return (error.problems ?? []).map(p => `${p.place} ${p.message}`).sort()
}

// ---- making

test('a directory becomes an archive that unpacks to the same', async t => {
  const files = { 'a.txt': 'one', 'src/b.mjs': 'two', 'src/empty': '', 'ä ö/ü.txt': 'three' }
  const directory = await folder(files)
  await chmod(join(directory, 'src/b.mjs'), 0o755)
  const bundle = await bundled(directory)
  t.like(bundle, { files: 4, sizeBytes: (await stat(bundle.file)).size })
  const target = fresh()
  await unpackBundle(bundle.file, target, { hash: bundle.hash })
  t.deepEqual(
    await contents(target),
    Object.fromEntries(
      Object.entries(files).map(([k, v]) => [k, Buffer.from(v).toString('latin1')]),
    ),
  )
  t.is((await stat(join(target, 'src/b.mjs'))).mode & 0o111, 0o111)
  t.is((await stat(join(target, 'a.txt'))).mode & 0o111, 0)
})

test('the same content has the same hash, whenever and wherever it was written', async t => {
  const files = { b: 'x', a: 'y', 'c/d': 'z', Z: '' }
  const one = await folder(files)
  const other = await folder(Object.fromEntries(Object.entries(files).reverse()))
  await utimes(join(other, 'a'), 1, 1)
  await chmod(join(other, 'b'), 0o600)
  await mkdir(join(other, 'nothing'))
  const { hash } = await bundled(one)
  t.is((await bundled(other)).hash, hash)
  await chmod(join(other, 'b'), 0o700)
  t.not((await bundled(other)).hash, hash)
  await chmod(join(other, 'b'), 0o600)
  await writeFile(join(other, 'a'), 'Y')
  t.not((await bundled(other)).hash, hash)
})

test('the bytes of a bundle are those that were agreed on', async t => {
  // Another hash here means that every cluster fetches every bundle anew.
  const { hash } = await bundled(await folder({ 'a/b.txt': 'world', 'a.txt': 'hello', Z: '' }))
  t.is(hash, 'ce22f213e5db6a0e281bd1f4a305449acbbc038950114fbc0f89bd834b3289e4')
})

test('version control, caches, the engine and what .gearignore lists are left out', async t => {
  const directory = await folder({
    'app.mjs': '',
    '.git/HEAD': '',
    'sub/.git/HEAD': '',
    'node_modules/gearpump/package.json': '',
    'node_modules/.cache/x': '',
    'node_modules/words/index.js': '',
    'node_modules/words/node_modules/gearpump/x': '',
    'gearpump/kept': '',
    '.gitignore': '',
    '.gearignore': '*.log\n# data\n/data/\n!keep.log\n',
    'x.log': '',
    'deep/y.log': '',
    'deep/keep.log': '',
    'data/z': '',
    'deep/data/z': '',
  })
  const { file } = await bundled(directory)
  t.deepEqual(Object.keys(await unpacked(file)), [
    '.gitignore',
    'app.mjs',
    'deep/data/z',
    'deep/keep.log',
    'gearpump/kept',
    'node_modules/words/index.js',
  ])
})

test('rules of .gearignore are those of a .gitignore', t => {
  const cases: readonly [rules: string, name: string, isLeftOut: boolean][] = [
    ['a', 'a', true],
    ['a', 'b/a', true],
    ['a', 'ab', false],
    ['/a', 'b/a', false],
    ['b/a', 'b/a', true],
    ['b/a', 'c/b/a', false],
    ['**/b/a', 'c/b/a', true],
    ['a/**', 'a/b/c', true],
    ['a/**', 'a', false],
    ['a/**/c', 'a/c', true],
    ['a/**/c', 'a/x/y/c', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['*.js', 'x.mjs', false],
    ['a.b', 'axb', false],
    ['[x]', '[x]', true],
    ['*\n!a', 'a', false],
    ['!a\n*', 'a', true],
    ['a/', 'a', false],
    ['\r\n# a\r\n', 'a', false],
  ]
  for (const [rules, name, isLeftOut] of cases)
    t.is(ignoreRules(rules)(name, false), isLeftOut, `${rules} for ${name}`)
  t.true(ignoreRules('a/')('a', true))
  t.throws(() => ignoreRules('x\n'.repeat(2000)), { code: 'BUNDLE_REFUSED' })
})

test('links inside are kept as what they lead to', async t => {
  const directory = await folder({ 'real/a.txt': 'one' })
  await symlink('real/a.txt', join(directory, 'file-link'))
  await symlink('real', join(directory, 'folder-link'))
  t.deepEqual(await unpacked((await bundled(directory)).file), {
    'file-link': 'one',
    'folder-link/a.txt': 'one',
    'real/a.txt': 'one',
  })
})

test('what cannot be shipped is refused, all at once', async t => {
  const directory = await folder({ 'a.txt': '', 'A.txt': '', 'b\\c': '', 'd/e': '', D: '' })
  await symlink('/etc/hosts', join(directory, 'out'))
  await symlink('nowhere', join(directory, 'broken'))
  await symlink('..', join(directory, 'd/up'))
  execFileSync('mkfifo', [join(directory, 'pipe')])
  const problems = (await problemsOf(directory)).join('\n')
  t.regex(problems, /^[aA]\.txt would be one file with "[aA]\.txt" on some hosts$/m)
  t.regex(problems, /^b\\c its name has a backslash/m)
  t.regex(problems, /^(D|d\/e) would be one file with "(D|d)"/m)
  t.regex(problems, /^out is a link that leads out, to \/etc\/hosts$/m)
  t.regex(problems, /^broken is a link that leads nowhere/m)
  t.regex(problems, /^d\/up is a directory in itself/m)
  t.regex(problems, /^pipe is neither a file nor a directory/m)
  t.is(problems.split('\n').length, 7)
})

test('a directory beyond a limit is refused, and nothing is left of the archive', async t => {
  const directory = await folder({ a: 'x'.repeat(1000), b: 'x'.repeat(1000) })
  for (const limit of [
    { files: 1 },
    { fileBytes: 999 },
    { totalBytes: 1500 },
    { totalBytes: 2100 },
  ]) {
    const out = fresh('.zip')
    const limits = { ...DEFAULT_LIMITS, ...limit }
    await t.throwsAsync(makeBundle(directory, { out, limits }), { code: 'BUNDLE_REFUSED' })
    await t.throwsAsync(access(out), { code: 'ENOENT' })
  }
})

test('a bundle that cannot be written is told', async t => {
  const directory = await folder({ a: '' })
  const taken = { out: join(directory, 'a') }
  await t.throwsAsync(makeBundle(directory, taken), {
    code: 'BUNDLE_REFUSED',
    message: /cannot be bundled: EEXIST/,
  })
  t.is(await readFile(taken.out, 'utf8'), '')
})

test('a zip or jar is a bundle as it is; another file is none', async t => {
  const jar = fresh('.jar')
  await writeFile(jar, zipOf([{ name: 'META-INF/' }, { name: 'META-INF/x', deflated: true }]))
  t.like(await makeBundle(jar, { out: fresh() }), { file: jar, files: 1 })
  const text = join(await folder({ 'x.zip': 'no zip' }), 'x.zip')
  await t.throwsAsync(makeBundle(text, { out: fresh() }), { code: 'BUNDLE_CORRUPT' })
  const other = join(await folder({ 'x.ts': '' }), 'x.ts')
  await t.throwsAsync(makeBundle(other, { out: fresh() }), { code: 'BUNDLE_REFUSED' })
  await t.throwsAsync(makeBundle(fresh(), { out: fresh() }), { code: 'FILE_NOT_FOUND' })
})

// ---- unpacking

test('deflated files are unpacked, and a part of an archive if that is asked for', async t => {
  const text = 'abc'.repeat(100_000)
  const archive = await zipped([
    { name: 'resources/', comment: 'what children need' },
    { name: 'resources/storm.py', content: text, deflated: true },
    { name: 'resources/empty', deflated: true },
    { name: 'License/x', content: 'x' },
    { name: 'license', content: 'x' },
  ])
  await t.throwsAsync(unpacked(archive), { message: /one file on some hosts/ })
  t.deepEqual(await unpacked(archive, { below: 'resources/' }), {
    'resources/empty': '',
    'resources/storm.py': text,
  })
})

test('a directory that its archiver calls a file is a directory, as in many jars', async t => {
  const made = [{ name: 'META-INF/maven/', mode: 0o100644 }, { name: 'META-INF/maven/x' }]
  t.deepEqual(await unpacked(await zipped(made)), { 'META-INF/maven/x': '' })
})

test('an archive made to do harm is refused with the reason, and nothing of it is left', async t => {
  const zeros = Buffer.alloc(20 << 20)
  const one = { name: 'a', content: 'x' }
  const cases: readonly [files: readonly Made[], reason: RegExp][] = [
    [[{ name: '../x' }], /"\.\.\/x" leads out of the directory/],
    [[{ name: 'a/../../x' }], /leads out/],
    [[{ name: 'a/..' }], /leads out/],
    [[{ name: '/etc/x' }], /absolute path/],
    [[{ name: 'C:/x' }], /drive letter/],
    [[{ name: 'c:x' }], /drive letter/],
    [[{ name: 'a\\..\\x' }], /backslash/],
    [[{ name: 'a\0b' }], /control character/],
    [[{ name: 'a//b' }], /empty part/],
    [[{ name: './a' }], /empty part/],
    [[{ name: '' }], /empty part/],
    [[{ name: 'a'.repeat(300) }], /over 255 bytes/],
    [[{ name: 'a/'.repeat(3000) }], /longer than 4096/],
    [[{ name: 'link', content: '/etc', mode: 0o120777 }], /link or a device/],
    [[{ name: 'device', mode: 0o060666 }], /link or a device/],
    [[{ name: 'dir/', mode: 0o120777 }], /link or a device/],
    [[{ name: 'file', mode: 0o040755 }], /link or a device/],
    [[one, { name: 'a', content: 'y' }], /"a" and "a" would be one file/],
    [[one, { name: 'A', content: 'y' }], /"A" and "a" would be one file/],
    [[{ name: 'é' }, { name: 'e\u0301' }], /would be one file/],
    [[{ name: 'Dir/x' }, { name: 'dir/y' }], /would be one file/],
    [[one, { name: 'a/b' }], /would be one file/],
    [[{ name: 'a/b' }, one], /would be one file/],
    [[{ name: 'dir/', content: 'x' }], /has content/],
    [[{ name: 'x', flags: 1 }], /encrypted/],
    [[{ name: 'x', lie: { method: 12 } }], /method 12/],
    [[{ name: 'x', content: 'abc', lie: { sizeBytes: 2 } }], /two sizes/],
    [[{ name: 'x', content: 'abc', deflated: true, lie: { sizeBytes: 2 } }], /larger than its/],
    [[{ name: 'x', content: 'abc', deflated: true, lie: { sizeBytes: 4 } }], /altered/],
    [[{ name: 'x', content: 'abc', lie: { crc: 1 } }], /altered/],
    [[{ name: 'x', content: 'abc', localLie: { name: 'y' } }], /header of "x"/],
    [[{ name: 'x', content: 'abc', lie: { offset: 4 } }], /header of "x"|truncated/],
    [
      [one, { name: 'b', content: 'x', lie: { name: 'b', offset: 0 }, localLie: { name: 'a' } }],
      /"b" lies on the same bytes/,
    ],
    [[{ name: 'x', content: zeros, deflated: true }], /as only a bomb does/],
    [[{ name: 'x', content: 'abc', deflated: true, lie: { sizeBytes: 1 << 30 } }], /limit is/],
  ]
  for (const [files, reason] of cases) {
    const target = fresh()
    const error = await t.throwsAsync(unpackBundle(await zipped(files), target), {
      code: 'BUNDLE_CORRUPT',
    })
    t.regex(error!.message, reason)
    t.false((await readdir(top)).some(name => name.startsWith(target.slice(top.length + 1))))
  }
})

test('entries that share bytes are refused', async t => {
  // As in the bombs that list one file a thousand times.
  const archive = zipOf([{ name: 'a', content: 'x' }])
  const directory = archive.subarray(31 + 1, archive.length - 22)
  const end = Buffer.from(archive.subarray(archive.length - 22))
  end.writeUInt16LE(2, 8)
  end.writeUInt16LE(2, 10)
  end.writeUInt32LE(directory.length * 2, 12)
  const twice = Buffer.concat([archive.subarray(0, 32), directory, directory, end])
  await t.throwsAsync(unpacked(await zipped(twice)), { message: /one file on some hosts/ })
  const renamed = Buffer.concat([archive.subarray(0, 32), directory, Buffer.from(directory), end])
  renamed.write('b', 32 + directory.length + 46)
  // The header of the shared bytes says "a".
  const same = await t.throwsAsync(unpacked(await zipped(renamed)), { code: 'BUNDLE_CORRUPT' })
  t.regex(same!.message, /"b" lies on the same bytes/)
})

test('limits of the one who unpacks hold', async t => {
  const { file } = await bundled(await folder({ a: 'x'.repeat(1000), b: 'x'.repeat(1000) }))
  for (const limit of [{ files: 1 }, { fileBytes: 999 }, { totalBytes: 1999 }]) {
    const limits = { ...DEFAULT_LIMITS, ...limit }
    await t.throwsAsync(unpacked(file, { limits }), { code: 'BUNDLE_CORRUPT', message: /limit/ })
  }
})

test('an archive that is cut off anywhere is refused', async t => {
  const archive = zipOf([
    { name: 'a/b', content: 'hello', deflated: true },
    { name: 'c', content: 'world' },
  ])
  for (let length = 0; length < archive.length; length++) {
    const cut = await zipped(archive.subarray(0, length))
    await t.throwsAsync(unpacked(cut), { code: 'BUNDLE_CORRUPT' }, `${length} bytes`)
  }
})

test('a byte that is altered is noticed, or changes nothing; by the hash it is always noticed', async t => {
  const bundle = await bundled(await folder({ 'a/b': 'hello', c: 'world' }))
  const good = await unpacked(bundle.file)
  const bytes = await readFile(bundle.file)
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: bytes.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, mask) => {
        const altered = Buffer.from(bytes)
        altered[at]! ^= mask
        const archive = await zipped(altered)
        const found = await unpacked(archive).catch(asError)
        if (found instanceof Error) t.is((found as EngineError).code, 'BUNDLE_CORRUPT')
        else t.deepEqual(found, good)
        const checked = unpacked(archive, { hash: bundle.hash })
        await t.throwsAsync(checked, { code: 'BUNDLE_CORRUPT', message: /content is not that of/ })
      },
    ),
  )
})

test('any bytes at all are unpacked or refused, and nothing else', async t => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
      const found = await unpacked(await zipped(Buffer.from(bytes))).catch(asError)
      t.is((found as EngineError).code, 'BUNDLE_CORRUPT')
    }),
  )
})

test('a directory that is there is not touched', async t => {
  const { file } = await bundled(await folder({ a: 'new' }))
  const target = await folder({ b: 'old' })
  await t.throwsAsync(unpackBundle(file, target), { code: 'BAD_INPUT' })
  t.deepEqual(await contents(target), { b: 'old' })
})

test('what was bundled and unpacked bundles to the same again', async t => {
  const part = fc.stringMatching(/^[a-z0-9 _.ä-]{1,6}$/).filter(p => !/^\.+$/.test(p))
  const name = fc.array(part, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
  const files = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 50 })), {
    selector: ([n]) => n,
    comparator: (a, b) => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`),
    maxLength: 8,
  })
  await fc.assert(
    fc.asyncProperty(files, async made => {
      const directory = await folder(
        Object.fromEntries(made.map(([n, bytes]) => [n, Buffer.from(bytes)])),
      )
      const first = await bundled(directory)
      const target = fresh()
      await unpackBundle(first.file, target)
      t.deepEqual(await contents(target), await contents(directory))
      t.is((await bundled(target)).hash, first.hash)
    }),
    { numRuns: 50 },
  )
})

test('a large file goes through without being held in memory', async t => {
  const directory = await folder()
  const chunk = Buffer.alloc(1 << 20, 7)
  for (let i = 0; i < 64; i++) await writeFile(join(directory, 'large'), chunk, { flag: 'a' })
  await cp(join(directory, 'large'), join(directory, 'larger'))
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }, 1)
  const { file } = await bundled(directory)
  await unpackBundle(file, fresh())
  clearInterval(watch)
  t.true(most < 96 << 20, `${most} bytes of buffers`)
})
