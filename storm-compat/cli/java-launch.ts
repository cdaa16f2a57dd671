// Starts a Java program as Storm's own command does: the jars of Storm's client, the topology's jar and the user's
// configuration on the class path; the settings of this command line and the place of the jar as system properties, in
// which StormSubmitter looks for them. The exit code of the program is that of the command.
import { join } from 'node:path'
import { type CommandLine, list, one } from './command-line.ts'
import { confText } from './conf-value.ts'
import { classPath } from './java-class-path.ts'
import { type StormConf, stormConf, stormHome, userConfDir } from './storm-conf.ts'
import type { Surroundings } from './verb.ts'

export interface JavaProgram {
  readonly jar: string
  readonly mainClass: string
  readonly args: readonly string[]
  /** Jars besides: `--jars`. */
  readonly jars: readonly string[]
  readonly serverClassPath: boolean
}

export async function runJava(
  line: CommandLine,
  program: JavaProgram,
  around: Surroundings,
): Promise<number> {
  const conf = await stormConf(line, around)
  const command = around.env.JAVA_HOME ? join(around.env.JAVA_HOME, 'bin', 'java') : 'java'
  const args = await javaArguments(line, program, around, conf)
  around.out(`Running: ${[command, ...args].join(' ')}\n`)
  return around.runProgram({ command, args })
}

/** What stands behind `java`. */
export async function javaArguments(
  line: CommandLine,
  program: JavaProgram,
  around: Surroundings,
  conf: StormConf,
): Promise<string[]> {
  const home = stormHome(around.env) ?? ''
  const userConf = await userConfDir(around)
  const extra = [program.jar, userConf, home && join(home, 'bin'), ...program.jars]
  const path = await classPath(around, {
    jars: program.serverClassPath ? 'server' : 'client',
    daemon: false,
    extra: extra.filter((part): part is string => part !== undefined && part !== ''),
  })
  return [
    '-client',
    '-Ddaemon.name=',
    `-Dstorm.options=${list(line, 'setting').map(quoted).join(',')}`,
    `-Dstorm.home=${home}`,
    `-Dstorm.log.dir=${logDir(conf, home)}`,
    `-Djava.library.path=${confText(conf['java.library.path'])}`,
    `-Dstorm.conf.file=${one(line, 'config') ?? ''}`,
    '-cp',
    path,
    ...shellWords(around.env.STORM_JAR_JVM_OPTS ?? ''),
    `-Dstorm.jar=${program.jar}`,
    `-Dstorm.dependency.jars=${program.jars.join(',')}`,
    '-Dstorm.dependency.artifacts={}',
    program.mainClass,
    ...program.args,
  ]
}

function logDir(conf: StormConf, home: string): string {
  const own = conf['storm.log.dir']
  return typeof own === 'string' && own !== '' ? own : join(home || '.', 'logs')
}

// As a form field: StormSubmitter undoes it, and a comma separates settings.
function quoted(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

/** Words as a shell would part them; quotes hold words together, a backslash takes the next letter as it is. */
export function shellWords(text: string): string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs)) {
    found.push(
      word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs, (_, double, single, escaped) =>
        double === undefined ? (single ?? escaped) : double.replace(/\\(["\\$`])/g, '$1'),
      ),
    )
  }
  return found
}
