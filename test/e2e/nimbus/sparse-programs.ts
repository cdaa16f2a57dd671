// Programs for streamparse's commands to find: the built `storm`, streamparse's own, and scripts that stand in for others.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { NimbusRun } from './nimbus-run.ts'

const STORM = fileURLToPath(new URL('../../../bin/storm', import.meta.url))

/**
 * Puts them on the way of all programs until the test ends; returns the path of `sparse`.
 *
 * @param streamparse a program of the environment in which streamparse is installed
 * @param scripts texts of shell scripts by name
 */
export function sparseBeside(
  t: ExecutionContext,
  run: NimbusRun,
  streamparse: string,
  scripts: Readonly<Record<string, string>>,
): string {
  const bin = join(run.dir, 'bin')
  mkdirSync(bin)
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
  symlinkSync(STORM, join(bin, 'storm'))
  for (const name of ['sparse', 'streamparse_run', 'python3'])
    symlinkSync(join(dirname(streamparse), name), join(bin, name))
  const path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
  t.teardown(() => {
    process.env.PATH = path
  })
  return join(bin, 'sparse')
}
