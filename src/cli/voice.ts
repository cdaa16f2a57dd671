// How the command speaks: everything for people goes to stderr, so that stdout belongs to the user's components and to
// the last line of figures. As plain sentences, or as JSON lines beside those of the log.
import { type Level, type Log, log, streamLog } from '../base/log.ts'
import { errorText } from './error-text.ts'

export interface VoiceOptions {
  /** `gear` or `storm`: begins each line. */
  readonly command: string
  readonly stderr: { write(text: string): unknown }
  readonly level: Level
  readonly json: boolean
}

export class Voice {
  /** The engine's and the components' lines. */
  readonly log: Log
  readonly #options: VoiceOptions

  constructor(options: VoiceOptions) {
    this.#options = options
    this.log = streamLog(options.stderr, options.level, options.json ? 'json' : 'text')
  }

  say(text: string): void {
    this.#write('info', text)
  }

  warn(text: string): void {
    this.#write('warn', text)
  }

  error(thrown: unknown): void {
    const { level } = this.#options
    this.#write('error', errorText(thrown, level === 'debug' || level === 'trace'))
  }

  // Sentences of the command itself come at every log level: they are its answer, not its log.
  #write(level: 'info' | 'warn' | 'error', text: string): void {
    const { command, stderr, json } = this.#options
    if (json) log(streamLog(stderr, 'trace', 'json'), level, command, text)
    else stderr.write(`${command}: ${level === 'error' ? 'error: ' : ''}${text}\n`)
  }
}
