import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import type { UserError } from '../../../src/base/errors.ts'
import { bundleRootOf, makePortable, revive } from '../../../src/cluster/code-shipping.ts'
import '../seed.ts'

let folder = ''
let root = ''
const there = '/elsewhere/bundles/3f'

test.before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gear-shipping-')))
  root = join(folder, 'my app')
  await mkdir(join(root, 'src/deep'), { recursive: true })
  await writeFile(join(root, 'package.json'), '{}')
  await symlink(root, join(folder, 'link'))
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

const url = (path: string) => pathToFileURL(path).href

test('paths and file URLs below the root become those of the bundle, and come back', async t => {
  const code = {
    module: url(join(root, 'src/a b.mjs')),
    export: 'load',
    input: { file: join(root, 'x.yaml'), list: [root, `${root}/`, url(root)], n: 1, no: undefined },
  }
  const portable = await makePortable(code, { root })
  t.deepEqual(portable, {
    module: 'bundle:file:/src/a%20b.mjs',
    export: 'load',
    input: {
      file: 'bundle:/x.yaml',
      list: ['bundle:', 'bundle:/', 'bundle:file:'],
      n: 1,
      no: undefined,
    },
    needsBundle: true,
  })
  t.deepEqual(revive(portable, there), {
    module: `file://${there}/src/a%20b.mjs`,
    export: 'load',
    input: {
      file: `${there}/x.yaml`,
      list: [there, `${there}/`, `file://${there}`],
      n: 1,
      no: undefined,
    },
  })
})

test('a root that is reached through a link is the same root', async t => {
  const code = { module: url(join(root, 'm.mjs')), export: 'x', input: join(folder, 'link/a') }
  const { module, input } = await makePortable(code, { root: join(folder, 'link') })
  t.deepEqual([module, input], ['bundle:file:/m.mjs', 'bundle:/a'])
})

test("the engine's own modules are named without build or sources, and found in either", async t => {
  const ownPackage = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
  const source = url(join(ownPackage, 'src/client/program-file.ts'))
  const built = url(join(ownPackage, 'dist/src/client/program-file.js'))
  for (const module of [source, built]) {
    const portable = await makePortable({ module, export: 'x', input: null }, { root })
    t.is(portable.module, 'gearpump:file:/src/client/program-file.module')
    t.false(portable.needsBundle)
    // These tests run the sources.
    t.is(revive(portable, there).module, source)
  }
  const resources = join(ownPackage, 'storm-compat/multilang/resources')
  const example = join(ownPackage, 'examples/word-count/word-count.ts')
  const code = { module: 'gearpump/storm', export: 'x', input: [resources, example] }
  // Whoever runs an example of ours bundles nothing.
  const portable = await makePortable(code, { root: ownPackage })
  t.like(portable, {
    module: 'gearpump/storm',
    input: [
      'gearpump:/storm-compat/multilang/resources',
      'gearpump:/examples/word-count/word-count.ts',
    ],
    needsBundle: false,
  })
  t.deepEqual(revive(portable, there), code)
})

test("a project inside of the engine's directory is still a project", async t => {
  const ownPackage = folder
  const code = { module: url(join(root, 'm.mjs')), export: 'x', input: join(folder, 'other') }
  const { module, input } = await makePortable(code, { root, ownPackage })
  t.deepEqual([module, input], ['bundle:file:/m.mjs', 'gearpump:/other'])
})

test('all that lies outside is refused at once, by its name', async t => {
  const code = {
    module: url('/opt/other.mjs'),
    export: 'x',
    input: {
      file: '/etc/passwd',
      climbing: `${root}/../secret`,
      beside: `${root}-2/x`,
      far: 'file://host/share/x',
      deep: [{ f: () => 1, when: new Date(0) }],
      args: { data: '/data/in.txt', url: url('/data/in.txt') },
    },
  }
  const error = await t.throwsAsync(makePortable(code, { root }), { code: 'CODE_NOT_PORTABLE' })
  const told = (error as unknown as UserError).problems.map(p => `${p.place} ${p.message}`)
  t.deepEqual(told, [
    `module is /opt/other.mjs, which lies outside of ${root}`,
    `input.file is /etc/passwd, which lies outside of ${root}`,
    `input.climbing is ${root}/../secret, which lies outside of ${root}`,
    `input.beside is ${root}-2/x, which lies outside of ${root}`,
    'input.far is no file URL of this host: file://host/share/x',
    'input.deep.0.f is a function: only plain data travels',
    'input.deep.0.when is no plain data',
    `input.args.url is /data/in.txt, which lies outside of ${root}`,
  ])
  for (const module of ['./x.mjs', 'data:text/javascript,1', 'a/../../x'])
    await t.throwsAsync(makePortable({ module, export: 'x', input: 1 }, { root }), {
      code: 'CODE_NOT_PORTABLE',
    })
})

test('arguments and settings of the user stay as they are written, unless they are in the bundle', async t => {
  const input = { args: { data: '/data/in.txt', own: join(root, 'words') }, config: ['/x'] }
  const code = { module: 'gearpump/x', export: 'x', input }
  const portable = await makePortable(code, { root })
  t.deepEqual(portable.input, {
    args: { data: '/data/in.txt', own: 'bundle:/words' },
    config: ['/x'],
  })
  await t.throwsAsync(makePortable(code, { root, keep: [] }), { code: 'CODE_NOT_PORTABLE' })
})

test('data that is a circle is refused', async t => {
  const circle: unknown[] = []
  circle.push(circle)
  const code = { module: 'gearpump/x', export: 'x', input: circle }
  await t.throwsAsync(makePortable(code, { root }), { message: /64 levels/ })
  t.throws(() => revive(code, there), { code: 'CODE_NOT_PORTABLE' })
})

test('what comes from another host reaches no file outside of the bundle', t => {
  const bad = [
    'bundle:/../x',
    'bundle:x',
    'bundle:/a/../../x',
    'bundle:file:/..%2Fx',
    'bundle:file:/%2e%2e/x',
    'bundle:file:/%zz',
    'gearpump:/../x',
    'gearpump:file:/../x',
  ]
  for (const text of bad) {
    const input = () => revive({ module: 'gearpump/x', export: 'x', input: [text] }, there)
    t.throws(input, { code: 'CODE_NOT_PORTABLE' }, text)
    t.throws(() => revive({ module: text, export: 'x', input: 1 }, there), undefined, text)
  }
  for (const module of ['/etc/x.mjs', 'file:///etc/x.mjs', 'data:text/javascript,1', 'literal:/x'])
    t.throws(() => revive({ module, export: 'x', input: 1 }, there), { code: 'CODE_NOT_PORTABLE' })
})

test('there and back again is the same, whatever the data', async t => {
  const part = fc.stringMatching(/^[a-zA-Z0-9 _%#?~äß.-]{1,8}$/).filter(p => !/^\.+$/.test(p))
  const path = fc.array(part, { maxLength: 4 }).map(parts => [root, ...parts].join('/'))
  const text = fc.oneof(
    path,
    path.map(url),
    fc.string(),
    fc.constantFrom('bundle:/x', 'gearpump:', 'literal:literal:', 'bundle:file:/../..'),
  )
  const isShippable = (s: string) => !/^(\/|file:)/.test(s) || s.includes(folder.slice(1))
  const { data } = fc.letrec(tie => ({
    data: fc.oneof(
      text.filter(isShippable),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('data'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('data'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(path.map(url), data, async (module, input) => {
      const portable = await makePortable({ module, export: 'x', input }, { root })
      t.false(JSON.stringify(portable).includes(folder))
      t.deepEqual(revive(portable, root), { module, export: 'x', input })
    }),
  )
})

test('the root of a bundle is the nearest directory with a package.json, else that of the file', async t => {
  t.is(await bundleRootOf(join(root, 'src/deep/x.ts')), root)
  t.is(await bundleRootOf(join(root, 'x.ts')), root)
  t.is(await bundleRootOf(join(folder, 'alone/x.ts')), join(folder, 'alone'))
})
