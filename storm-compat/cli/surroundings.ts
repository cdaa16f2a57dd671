// The real world of the `storm` command: this process, its terminal, and a Nimbus by TCP.
import { spawn } from 'node:child_process'
import { constants, homedir } from 'node:os'
import { EngineError } from 'gearpump/spi'
import { connectThrift, NO_DRPC } from '../thrift/client.ts'
import { drpcMethods } from '../thrift/storm-drpc.ts'
import { nimbusMethods } from '../thrift/storm-nimbus.ts'
import { localNimbus } from './java-local.ts'
import type { Gear, ProgramCall, Surroundings } from './verb.ts'

/** What a shell answers for a program that a signal ended. */
const SIGNAL_BASE = 128

export function realSurroundings(gear: Gear): Surroundings {
  // A reader that is gone wants no more, and that is no failure.
  process.stdout.on('error', () => undefined)
  return {
    env: process.env,
    homeDir: homedir(),
    cwd: process.cwd(),
    out: text => process.stdout.write(text),
    note: text => process.stderr.write(`${text}\n`),
    drained: () => taken(process.stdout),
    stdin: process.stdin,
    connect: door => connectThrift({ ...door, methods: nimbusMethods }),
    connectDrpc: door => connectThrift({ ...door, methods: drpcMethods, unreachable: NO_DRPC }),
    interrupted,
    runProgram,
    gear,
    localNimbus,
    nowMs: Date.now,
    sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
  }
}

// The process exits next, and a pipe with a slow reader would lose what is still held.
function taken(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
}

function interrupted(): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      // A second one ends the process at once.
      process.off('SIGINT', end)
      process.off('SIGTERM', end)
      resolve()
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
  })
}

function runProgram({ command, args, env }: ProgramCall): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
    // Ctrl-C reaches the program by itself; the command ends when the program does.
    const wait = () => undefined
    const pass = () => child.kill('SIGTERM')
    process.on('SIGINT', wait)
    process.on('SIGTERM', pass)
    const done = () => {
      process.off('SIGINT', wait)
      process.off('SIGTERM', pass)
    }
    child.once('error', cause => {
      done()
      const reason =
        (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : cause.message
      const hint =
        command === 'java'
          ? 'install a JDK or JRE, or set JAVA_HOME'
          : 'is it installed, and in PATH?'
      reject(new EngineError('SHELL_START_FAILED', `${command} ${reason}`, { hint, cause }))
    })
    child.once('exit', (code, signal) => {
      done()
      resolve(code ?? SIGNAL_BASE + constants.signals[signal!])
    })
  })
}
