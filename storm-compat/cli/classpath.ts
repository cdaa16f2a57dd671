// `storm classpath` and `storm server_classpath`: where Storm's jars are looked for.
import { readCommandLine, words } from './command-line.ts'
import { classPath } from './java-class-path.ts'
import { EXIT_OK, type Verb } from './verb.ts'

export const classpathVerb = verb('classpath', 'client')
export const serverClasspathVerb = verb('server_classpath', 'server')

function verb(name: string, jars: 'client' | 'server'): Verb {
  return {
    usage: `storm ${name}`,
    summary: `the class path of Java programs (${jars})`,
    async run(argv, around) {
      words(readCommandLine(argv, {}), [])
      around.out(`${await classPath(around, { jars, daemon: true, extra: [] })}\n`)
      return EXIT_OK
    },
  }
}
