// `storm local X.jar Main ARGS…`, and Flux with Java classes under --local: a Nimbus of its own in this process takes what the program
// submits, and its components run here, those in Java in a JVM beside. The program is told where by settings, so that it is the
// same one that submits to a cluster.
import { homedir } from 'node:os'
import { connect } from 'gearpump'
import { shellOrClass } from '../jvm/shell-classes.ts'
import { startNimbus } from '../nimbus/nimbus.ts'
import { gearHost } from '../nimbus/topology-host.ts'
import type { CommandLine } from './command-line.ts'
import { type JavaProgram, runJava } from './java-launch.ts'
import { EXIT_OK, type LocalNimbus, type Surroundings } from './verb.ts'

/** Short and long forms of Flux. */
const LOCAL_FLAGS = ['-l', '--local']
const REMOTE_FLAGS = ['-r', '--remote']

/** Runs the program and then what it has submitted: for `forMs`, or until the user ends it if that is 0. */
export async function runJavaHere(
  line: CommandLine,
  program: JavaProgram,
  forMs: number,
  around: Surroundings,
): Promise<number> {
  const nimbus = await around.localNimbus()
  try {
    const code = await runJava(pointedTo(line, nimbus.port), program, around)
    if (code !== EXIT_OK) return code
    const end = forMs === 0 ? 'until Ctrl-C' : `for ${forMs / 1000} s`
    around.note(`storm: what the program has submitted runs here ${end}`)
    const interrupted = around.interrupted()
    await (forMs === 0 ? interrupted : Promise.race([around.sleep(forMs), interrupted]))
    return EXIT_OK
  } finally {
    await nimbus.close()
  }
}

/** Flux's own main is to submit, whatever it does with --local: Storm 1.x would start a cluster of its own. */
export function submittingArguments(args: readonly string[]): readonly string[] {
  const others = args.filter(word => !LOCAL_FLAGS.includes(word) && !REMOTE_FLAGS.includes(word))
  return ['--remote', ...others]
}

// What 0.9 calls the place of a Nimbus, and what 1.0 and later do.
function pointedTo(line: CommandLine, port: number): CommandLine {
  const place = [
    'nimbus.host=localhost',
    'nimbus.seeds=["localhost"]',
    `nimbus.thrift.port=${port}`,
  ]
  const settings = [...(line.values.get('setting') ?? []), ...place]
  return { ...line, values: new Map(line.values).set('setting', settings) }
}

/** A Nimbus in this process, on a free port, whose topologies end with it. */
export async function localNimbus(): Promise<LocalNimbus> {
  const gear = await connect()
  const nimbus = await startNimbus({
    host: gearHost({ gear }),
    port: 0,
    readJava: shellOrClass,
    java: { env: process.env, homeDir: homedir() },
  })
  return {
    port: nimbus.port,
    close: async () => {
      await nimbus.close()
      await gear.close()
    },
  }
}
