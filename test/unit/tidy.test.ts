// Style and structure as a test: sizes, names, dead links, pages that must agree with the code.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'

const FILE_LINES_MAX = 400
const LINE_LENGTH_MAX = 140
// A table, not code.
const LONG_FILES = new Set(['storm-compat/topology/cluster-defaults.ts'])

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter(file => file !== '' && existsSync(file))
const sources = files.filter(
  file => /^(src|storm-compat|connectors)\/.*\.ts$/.test(file) && !file.endsWith('.d.ts'),
)
const read = (file: string) => readFileSync(file, 'utf8')

test('a source file is at most 400 lines and begins with a paragraph that says what it is', t => {
  for (const file of sources) {
    const lines = read(file).split('\n')
    if (!LONG_FILES.has(file))
      t.true(lines.length <= FILE_LINES_MAX + 1, `${file} has ${lines.length} lines`)
    t.true(lines[0]!.startsWith('// '), `${file} has no header`)
  }
})

test('no line of source is longer than a reader can follow', t => {
  for (const file of sources) {
    if (LONG_FILES.has(file)) continue
    const long = read(file)
      .split('\n')
      .findIndex(line => line.length > LINE_LENGTH_MAX)
    t.is(long, -1, `${file}:${long + 1}`)
  }
})

test('names are kebab-case nouns: no utils, helpers, common, impl', t => {
  for (const file of sources) {
    t.regex(file, /^[a-z0-9./-]+$/)
    t.notRegex(file, /\b(utils?|helpers?|common|impl|misc|manager2)\b/)
  }
})

test('the engine knows no Storm word', t => {
  // The command line and the files it loads speak to Storm's users too.
  const engine = sources.filter(file => /^src\/(?!cli\/|client\/program-file)/.test(file))
  for (const file of engine) {
    const code = read(file).replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
    t.notRegex(code, /\b(spout|bolt|nimbus|acker|topology|topologies)\b/i, file)
  }
})

test('nothing is unfinished, and no default export hides a name', t => {
  const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|'))
  for (const file of sources) {
    t.notRegex(read(file), marks, file)
    t.notRegex(read(file), /^export default/m, file)
  }
})

test('every error code has an entry in docs/errors.md, and no entry is left over', t => {
  const union = read('src/base/errors.ts').match(/export type ErrorCode =([\s\S]*?)\n\n/)![1]!
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(match => match[1]!)
  const entries = [...read('docs/errors.md').matchAll(/^## ([A-Z_]+)$/gm)].map(match => match[1]!)
  t.deepEqual(entries.sort(), codes.sort())
})

test('the map in ARCHITECTURE.md names every source folder, and only folders that exist', t => {
  const named = new Set(
    [...read('docs/ARCHITECTURE.md').matchAll(/^\| `([a-z/-]+)` \|/gm)].map(match => match[1]!),
  )
  for (const folder of named)
    t.true(existsSync(folder), `${folder} is on the map and not in the tree`)
  for (const top of ['src', 'storm-compat']) {
    for (const entry of readdirSync(top, { withFileTypes: true })) {
      if (entry.isDirectory())
        t.true(named.has(`${top}/${entry.name}`), `${top}/${entry.name} is not on the map`)
    }
  }
})

test('links between pages lead somewhere', t => {
  for (const page of files.filter(file => file.endsWith('.md'))) {
    for (const [, link] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link!) || link!.startsWith('#')) continue
      t.true(existsSync(resolve(dirname(page), link!.split('#')[0]!)), `${page}: ${link}`)
    }
  }
})

test('tests that the guarantees name exist', t => {
  for (const [, path] of read('docs/guarantees.md').matchAll(/`(test\/[^`]+)`/g)) {
    t.true(existsSync(path!), path)
  }
})

test('no file speaks of the machine it was written on', t => {
  const marks = new RegExp(
    ['/wo' + 'rk/', '/ro' + 'ot/', '\\.\\./sha' + 'red', 'registry\\.npm' + 'js'].join('|'),
  )
  for (const file of files.filter(file =>
    /\.(ts|mjs|cjs|js|json|md|py|sh|java|yaml|yml)$/.test(file),
  )) {
    t.notRegex(read(file), marks, file)
  }
})

test('dependencies are documented', t => {
  const { dependencies } = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>
  }
  const page = read(join('docs', 'dependencies.md'))
  for (const name of Object.keys(dependencies)) t.true(page.includes(`\`${name}\``), name)
})
