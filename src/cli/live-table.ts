// The live table of `--stats`: drawn on stderr, wiped when somebody else writes to the terminal, drawn again each second.
// What executor processes write themselves cannot be seen here and may tear it; the next second repairs it.
import type { RunFigures } from '../app/figures.ts'
import { statsTable } from './stats-table.ts'
import { type NodeStream, WatchedStream } from './terminal.ts'

const PERIOD_MS = 1000

export interface LiveTableOptions {
  readonly stderr: NodeStream
  /** Undefined: it is no terminal, so what is written there does not harm the table. */
  readonly stdout: WatchedStream | undefined
  readonly colour: boolean
  readonly figures: () => Promise<RunFigures>
}

export class LiveTable {
  readonly #options: LiveTableOptions
  readonly #err: WatchedStream
  #before: RunFigures | undefined = undefined
  #beforeMs = performance.now()
  #lines = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: LiveTableOptions) {
    this.#options = options
    this.#err = new WatchedStream(options.stderr)
    this.#err.before = () => this.#wipe()
    if (options.stdout !== undefined) options.stdout.before = () => this.#wipe()
    this.#schedule()
  }

  #schedule(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#tick().then(
        () => this.#schedule(),
        // An application that has just failed gives no figures; the run tells why.
        () => this.close(),
      )
    }, PERIOD_MS)
  }

  async #tick(): Promise<void> {
    const figures = await this.#options.figures()
    if (this.#closed) return
    const nowMs = performance.now()
    const { stderr, colour } = this.#options
    // A pseudo-terminal without a size says 0.
    const columns = stderr.columns || 80
    const rows = stderr.rows || 24
    const periodMs = nowMs - this.#beforeMs
    this.#draw(
      statsTable({ figures, before: this.#before, periodMs, columns, rows: rows - 2, colour }),
    )
    this.#before = figures
    this.#beforeMs = nowMs
  }

  #draw(lines: readonly string[]): void {
    this.#wipe()
    const { stdout } = this.#options
    const onNewLine = this.#err.endsLine && stdout?.endsLine !== false
    void this.#err.write(`${onNewLine ? '' : '\n'}${lines.join('\n')}\n`)
    this.#lines = lines.length
  }

  // Up to the table's first line, and away with all below it. The cursor may be off the first column: a terminal shows
  // the ^C of Ctrl-C.
  #wipe(): void {
    if (this.#lines === 0) return
    void this.#err.write(`\r\u001b[${this.#lines}A\u001b[0J`)
    this.#lines = 0
  }

  /** Takes the table away and lets go of the streams. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#wipe()
    this.#err.restore()
    if (this.#options.stdout !== undefined) this.#options.stdout.before = undefined
  }
}
