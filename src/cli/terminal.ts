// The two streams of the command, watched: a table that is drawn again and again must be wiped before anything else is
// written to the same terminal, and the last line of stdout must begin a line of its own.

export interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** As much of a stream of Node as is needed here. */
export type NodeStream = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns' | 'rows'>

/** Calls `before` ahead of each write by others, and remembers whether the last one ended its line. */
export class WatchedStream {
  endsLine = true
  before: (() => void) | undefined = undefined
  readonly #stream: NodeStream
  readonly #write: NodeStream['write']

  constructor(stream: NodeStream) {
    this.#stream = stream
    this.#write = stream.write
    const watched = (...args: Parameters<NodeStream['write']>): boolean => {
      this.before?.()
      this.#saw(args[0])
      return this.#write.apply(stream, args)
    }
    stream.write = watched as NodeStream['write']
  }

  #saw(chunk: string | Uint8Array): void {
    if (chunk.length > 0) this.endsLine = chunk.at(-1) === (typeof chunk === 'string' ? '\n' : 10)
  }

  /** Writes unwatched; resolves when it has left this process. */
  write(text: string): Promise<void> {
    return new Promise(resolve => {
      const write = this.#write as (text: string, written: () => void) => boolean
      write.call(this.#stream, text, resolve)
    })
  }

  restore(): void {
    this.#stream.write = this.#write
  }
}

/** Colours only for a terminal whose user has not said no: https://no-color.org */
export function wantsColour(stream: Stream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}

/** Whether the cursor can be moved. */
export function canRedraw(stream: Stream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb'
}
