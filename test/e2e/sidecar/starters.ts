// Runs programs of storm-starter's released jars, unchanged, by our `storm jar`, against one Nimbus with a DRPC server; and reads
// from the log what their components emitted, as they all set topology.debug.
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { startDrpc } from 'gearpump/storm'
import { shellOrClass } from '../../../storm-compat/jvm/shell-classes.ts'
import type { RealPart } from '../../real/parts.ts'
import { type NimbusRun, runNimbus } from '../nimbus/nimbus-run.ts'

const STORM = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../bin/storm')
/** Clients of these lines reach into Java's own classes; and many of them start here. */
const JVM =
  '-Xmx256m -XX:TieredStopAtLevel=1 --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED'
const STARTS_MS = 150_000
/** The programs ask for three to six: with a JVM for each, a small machine would do nothing but start them. */
const ONE_WORKER = ['-c', 'topology.workers=1']

export interface Starters extends NimbusRun {
  /** Runs `storm VERB …`; resolves with what it printed. */
  storm(...words: readonly string[]): Promise<string>
  /** Submits a topology by the main class of this name, below `storm.starter`. */
  submit(program: string, args: readonly string[], ...options: readonly string[]): Promise<string>
  /** What components of this name have emitted on their default streams, as the log shows it. */
  emitted(component: string): readonly string[]
  /** Calls a function of the DRPC server. */
  call(name: string, argument: string): Promise<string>
}

export interface StarterOptions {
  readonly lib: RealPart
  readonly line: string
  readonly jar: string
  /** Jars that are put beside Storm's own. */
  readonly beside: readonly string[]
}

export async function runStarters(
  t: ExecutionContext,
  { lib, line, jar, beside }: StarterOptions,
): Promise<Starters> {
  process.env.GEARPUMP_STORM_JARS = join(lib.dir, 'lib')
  const drpc = await startDrpc({ port: 0, invocationsPort: 0, httpPort: 0 })
  const run = await runNimbus(t, undefined, {
    readJava: shellOrClass,
    java: { env: process.env, homeDir: homedir() },
    conf: {
      'gearpump.jvm.class.path': [join(lib.dir, 'lib', line, '*'), ...beside],
      'drpc.servers': [drpc.address],
      'drpc.port': drpc.port,
      'drpc.invocations.port': drpc.invocationsPort,
    },
  })
  t.teardown(() => drpc.close())
  withPython(run.dir)
  const storm = await stormCommand(run, lib, line)
  const prefix = line.startsWith('0.') ? 'storm.starter' : 'org.apache.storm.starter'
  return {
    ...run,
    storm,
    submit: (program, args, ...options) =>
      storm('jar', jar, `${prefix}.${program}`, ...args, ...ONE_WORKER, ...options),
    emitted: component => emits(run.lines, component),
    call: async (name, argument) => {
      const url = `http://${drpc.address}:${drpc.httpPort}/drpc/${name}`
      return (await fetch(url, { method: 'POST', body: argument })).text()
    },
  }
}

// These jars start `python`, which many systems have under its full name only.
function withPython(dir: string): void {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'python'), '#!/bin/sh\nexec python3 "$@"\n', { mode: 0o755 })
  process.env.PATH = `${bin}${delimiter}${process.env.PATH}`
}

async function stormCommand(
  run: NimbusRun,
  lib: RealPart,
  line: string,
): Promise<Starters['storm']> {
  const root = line.startsWith('0.') ? 'backtype.storm' : 'org.apache.storm'
  const conf = [
    'nimbus.seeds: ["localhost"]',
    'nimbus.host: localhost',
    `nimbus.thrift.port: ${run.port}`,
    `storm.thrift.transport: ${root}.security.auth.SimpleTransportPlugin`,
  ]
  mkdirSync(join(run.dir, '.storm'))
  writeFileSync(join(run.dir, '.storm', 'storm.yaml'), `${conf.join('\n')}\n`)
  const GEARPUMP_STORM_JARS = join(lib.dir, 'lib', line)
  const env = { ...process.env, HOME: run.dir, GEARPUMP_STORM_JARS, STORM_JAR_JVM_OPTS: JVM }
  const options = { env, timeout: STARTS_MS, maxBuffer: 64 * 1024 * 1024 }
  return async (...words) => {
    const { stdout } = await promisify(execFile)(process.execPath, [STORM, ...words], options)
    return stdout
  }
}

function emits(lines: readonly string[], component: string): string[] {
  const emit = `Emitting: ${component} default `
  return lines.flatMap(line => {
    const at = line.indexOf(emit)
    return at < 0 ? [] : [line.slice(at + emit.length)]
  })
}
