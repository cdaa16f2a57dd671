// A Nimbus that runs Java components with the jars of one line of Storm, and what our Java topologies (test/real/storm-lib) wrote.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { shellOrClass } from '../../../storm-compat/jvm/shell-classes.ts'
import type { RealPart } from '../../real/parts.ts'
import { type NimbusRun, runNimbus } from '../nimbus/nimbus-run.ts'

export interface Tour extends NimbusRun {
  /** Submits one of the topologies by Storm's own client; settings as `key=value`. Resolves with what it printed. */
  submit(name: string, ...settings: readonly string[]): Promise<string>
  /** The lines of a file that components wrote. */
  noted(file: string): readonly string[]
}

export async function tour(t: ExecutionContext, lib: RealPart, line: string): Promise<Tour> {
  // Executors look there as well, and here they are this process.
  process.env.GEARPUMP_STORM_JARS = join(lib.dir, 'lib')
  const run = await runNimbus(t, undefined, {
    readJava: shellOrClass,
    java: { env: process.env, homeDir: homedir() },
  })
  return {
    ...run,
    submit: (name, ...settings) => {
      const classes = `${join(lib.dir, 'lib', line)}/*:${join(lib.dir, 'classes', line)}`
      const jar = join(lib.dir, `tour-${line}.jar`)
      const jvm = ['-Xmx256m', '--add-opens=java.base/java.nio=ALL-UNNAMED', '-cp', classes]
      const given = [String(run.port), jar, name, run.dir, ...settings]
      return run.client(lib.program!, [...jvm, 'JvmTour', ...given])
    },
    noted: file => {
      const path = join(run.dir, file)
      return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
    },
  }
}

/** The lines of storm-lib that are run; all of them in one test each. */
export const LINES = ['0.9', '0.10', '1.0', '1.2', '2'] as const
