// `gear shell`: a JavaScript prompt with the client in it, for looking around in a cluster.
import { start } from 'node:repl'
import type { Command } from 'commander'
import type { Level } from '../base/log.ts'
import { clientCommand, openGear } from './cluster-options.ts'
import { EXIT_OK, errorExitCode } from './ending.ts'
import { Voice } from './voice.ts'

const WELCOME = `gear is the client: await gear.list(), await gear.info(1), await gear.workers(), await gear.master(),
await gear.kill('words'). Ctrl-D ends.
`

interface Flags {
  readonly master?: string
  readonly settings?: string
  readonly logLevel: Level
}

export function shellCommand(setExit: (code: number) => void): Command {
  return clientCommand('shell', 'a prompt with the client in it').action(async (flags: Flags) => {
    const voice = new Voice({
      command: 'gear',
      stderr: process.stderr,
      level: flags.logLevel,
      json: false,
    })
    try {
      const gear = await openGear(flags, voice)
      process.stdout.write(WELCOME)
      const prompt = start({
        prompt: 'gear> ',
        useGlobal: false,
        breakEvalOnSigint: process.stdin.isTTY === true,
      })
      Object.assign(prompt.context, { gear })
      await new Promise<void>(resolve => prompt.once('exit', () => resolve()))
      await gear.close()
      setExit(EXIT_OK)
    } catch (error) {
      voice.error(error)
      setExit(errorExitCode(error))
    }
  })
}
