// The application under chaos: follows files, passes each line through a child process, and writes it to files that are
// synced before a line is acked. It keeps nothing: whatever dies, the source replays what was not acked.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { application, type Task, type TaskContext } from 'gearpump'
import { copyGraph, type FileCopyInput, outPath } from '../e2e/apps/file-copy.ts'

interface Asked {
  readonly resolve: (line: string) => void
  readonly reject: (error: Error) => void
}

/** Each line goes through `cat`. When that dies its line fails, and the next one starts another. */
class ChildRelay implements Task<string, string> {
  #child: ChildProcess | undefined = undefined
  #asked: Asked | undefined = undefined

  onNext = async (line: string, context: TaskContext<string>): Promise<void> => {
    const child = this.#child ?? this.#start()
    const answer = new Promise<string>((resolve, reject) => {
      this.#asked = { resolve, reject }
    })
    child.stdin!.write(`${line}\n`)
    context.output(await answer)
  }

  #start(): ChildProcess {
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] })
    const lost = (reason: string): void => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#asked?.reject(new Error(`its child has gone: ${reason}`))
      this.#asked = undefined
    }
    child.on('error', error => lost(error.message))
    child.on('exit', (code, signal) => lost(signal ?? `exit code ${code}`))
    child.stdin.on('error', error => lost(error.message))
    createInterface({ input: child.stdout }).on('line', line => {
      if (this.#child === child) this.#asked?.resolve(line)
    })
    this.#child = child
    return child
  }

  onStop = (): void => {
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
  }
}

export function copyApp(input: FileCopyInput) {
  const copy = copyGraph({
    lines: { directory: input.from, openMax: input.openMax, tail: true, pollMs: 50 },
    relay: () => new ChildRelay(),
    relays: 3,
    out: { path: outPath(input.to) },
  })
  return application('chaos-copy', copy, {
    profile: { timeoutMs: 10_000 },
    code: { module: import.meta.url, export: 'copyApp', input },
  })
}
