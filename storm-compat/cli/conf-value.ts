// `storm localconfvalue` and `storm remoteconfvalue`: what one setting is, for a client and for a daemon on this machine.
import { readCommandLine, words } from './command-line.ts'
import { type ConfSide, stormConf } from './storm-conf.ts'
import { EXIT_OK, type Verb } from './verb.ts'

export const localConfValueVerb = verb('localconfvalue', 'client', 'clients')
export const remoteConfValueVerb = verb('remoteconfvalue', 'cluster', 'daemons')

function verb(name: string, side: ConfSide, whose: string): Verb {
  return {
    usage: `storm ${name} CONF_NAME`,
    summary: `what a setting is for ${whose} on this machine`,
    async run(argv, around) {
      const line = readCommandLine(argv, {})
      const key = words(line, ['conf-name'])[0]!
      around.out(`${key}: ${confText((await stormConf(line, around, side))[key])}\n`)
      return EXIT_OK
    },
  }
}

/** A value as Storm prints it: a list with blanks between, a map as Java writes it. */
export function confText(value: unknown): string {
  return Array.isArray(value) ? value.map(javaText).join(' ') : javaText(value)
}

function javaText(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(javaText).join(', ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).map(([key, item]) => `${key}=${javaText(item)}`)
  return `{${entries.join(', ')}}`
}
