// Parts of other projects, unmodified, for tests that run our engine against the real thing. `bring.sh` puts them into a
// cache; this module only looks there, so a test never downloads or installs anything. What is missing skips the test
// visibly, with the command that brings it; under GEARPUMP_REQUIRE_REAL=1 (continuous integration) it fails the test.

import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

/** What `bring.sh` can bring. */
export type PartName =
  | 'multilang'
  | 'storm-starter'
  | 'pystorm'
  | 'ruby'
  | 'go-child'
  | 'etcd'
  | 'node-22'
  | 'kafka'
  | 'storm-kafka'
  | 'streamparse'
  | 'storm-client'
  | 'storm-commands'
  | 'gostorm'
  | 'storm-lines'
  | 'storm-local'
  | 'storm-lib'
  | 'storm-starters'

export interface RealPart {
  /** Folder of the part: storm.py, storm.rb, storm.js in `multilang`; splitsentence.* in `storm-starter`. */
  dir: string
  /** The program to start, where it has one: Python of `pystorm` and `streamparse`, java, ruby, the Go children, etcd. */
  program: string | undefined
}

/** Why a part is not there: one sentence that ends in what to do. */
export interface MissingPart {
  missing: string
}

const here = fileURLToPath(new URL('.', import.meta.url))

/** The folder of the cache: GEARPUMP_CACHE, or .cache/real in the repository. */
export function cacheFolder(): string {
  return process.env.GEARPUMP_CACHE ?? join(here, '../../.cache/real')
}

/**
 * Looks a part up in the cache.
 *
 *     const ruby = part('ruby')
 *     if ('missing' in ruby) t.log(ruby.missing)
 *
 * Throws instead of answering `missing` when GEARPUMP_REQUIRE_REAL=1.
 */
export function part(name: PartName): RealPart | MissingPart {
  const dir = join(cacheFolder(), name)
  const bring = `run ${relative(process.cwd(), join(here, 'bring.sh'))} ${name}`
  if (!existsSync(join(dir, 'ok'))) return absent(`${name} is not in ${cacheFolder()}: ${bring}`)
  const programFile = join(dir, 'program')
  if (!existsSync(programFile)) return { dir, program: undefined }
  const program = readFileSync(programFile, 'utf8').trim()
  if (!existsSync(program)) {
    return absent(`${name} was brought, but ${program} is gone: delete ${dir} and ${bring}`)
  }
  return { dir, program }
}

function absent(missing: string): MissingPart {
  if (process.env.GEARPUMP_REQUIRE_REAL === '1') throw new Error(missing)
  return { missing }
}

type Body = (t: ExecutionContext) => Promise<void>

/** `test` or `test.serial`. */
export interface Declare {
  (title: string, body: Body): void
  skip(title: string, body: Body): void
}

/**
 * A test that needs parts: declared as usual when all are there, else skipped with the reason in its title.
 *
 *     realTest(test, ['ruby', 'multilang'], 'a bolt in Ruby splits sentences', async (t, [ruby, multilang]) => {…})
 */
export function realTest<const Names extends readonly PartName[]>(
  test: Declare,
  names: Names,
  title: string,
  body: (t: ExecutionContext, parts: { [K in keyof Names]: RealPart }) => Promise<void>,
): void {
  const found = names.map(part)
  const missing = found.flatMap(p => ('missing' in p ? [p.missing] : []))
  if (missing.length > 0) {
    test.skip(`${title} (${missing.join('; ')})`, async () => undefined)
    return
  }
  test(title, t => body(t, found as { [K in keyof Names]: RealPart }))
}

/**
 * A test that needs something of the machine: skipped with the reason in its title when that is missing, and failed for
 * it under GEARPUMP_REQUIRE_REAL=1.
 *
 *     testUnless(test, networkMissing(), 'a master that is cut off leads no more', async t => {…})
 */
export function testUnless(
  test: Declare,
  missing: string | undefined,
  title: string,
  body: Body,
): void {
  if (missing === undefined) test(title, body)
  else if (process.env.GEARPUMP_REQUIRE_REAL === '1') test(title, async t => t.fail(missing))
  else test.skip(`${title} (${missing})`, async () => undefined)
}
