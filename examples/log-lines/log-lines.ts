// Log lines by level: files → count → files. The source reads every file of a directory, the counter holds lines for a moment
// and tells how many there were of each level, the sink lets them go when that is on the disk. At-least-once from end to
// end: kill an executor in between, and no line is left out; some may count twice.
// Run it: gear run examples/log-lines/log-lines.ts --until-drained -- --logs 'DIRECTORY/*.log' --out DIRECTORY
import {
  application,
  graph,
  groupBy,
  type Hold,
  processor,
  program,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { fileSink, fileSource } from 'gearpump/files'
import type { TaskSpiContext } from 'gearpump/spi'

/** Lines of one level that are counted together at most: each is held until its count is on the disk. */
const TOGETHER_MAX = 256
/** How long a line waits for others at most. */
const TOGETHER_MS = 200

/** What is written: so many lines of a level. */
export interface LevelCount {
  readonly level: string
  readonly lines: number
}

/** The level of a line such as `2026-11-21T10:00:00Z WARN disk is nearly full`. */
export function levelOf(line: string): string {
  return /\b(TRACE|DEBUG|INFO|WARN|ERROR)\b/.exec(line)?.[1] ?? 'OTHER'
}

/** Counts lines by level; each count is anchored to the lines that it stands for. */
export class CountLevels implements Task<string, LevelCount> {
  readonly #held = new Map<string, Hold[]>()
  #context: TaskSpiContext | undefined

  onStart = (context: TaskContext<LevelCount>): void => {
    this.#context = context as unknown as TaskSpiContext
    context.schedule(TOGETHER_MS, () => {
      for (const level of this.#held.keys()) this.#tell(level)
    })
  }

  onNext = (line: string, context: TaskContext<LevelCount>): void => {
    const level = levelOf(line)
    const held = this.#held.get(level)
    if (held === undefined) this.#held.set(level, [context.hold()])
    else if (held.push(context.hold()) === TOGETHER_MAX) this.#tell(level)
  }

  #tell(level: string): void {
    // One that took too long has failed meanwhile: its line comes again.
    const held = this.#held.get(level)!.filter(hold => hold.open)
    this.#held.delete(level)
    const outlet = this.#context!.outlet('default')
    const count: LevelCount = { level, lines: held.length }
    if (held.length > 0 && outlet !== undefined) this.#context!.emitAnchored(outlet, count, held)
    for (const hold of held) hold.release()
  }
}

interface Options {
  readonly logs: string
  readonly out: string
  readonly follow: boolean
}

/** The application. Also how the other executors of a run get it. */
export function logLines(input: Options) {
  const lines = source('lines', fileSource({ glob: input.logs, tail: input.follow }))
  const count = processor('count', () => new CountLevels(), { parallelism: 2 })
  const out = processor(
    'counts',
    fileSink<LevelCount>({ path: `${input.out}/{processor}-{index}-{sequence}.jsonl` }),
  )
  return application('log-lines', graph(lines.to(count, groupBy(levelOf)).to(out)), {
    code: { module: import.meta.url, export: 'logLines', input },
  })
}

export default program({
  args: {
    logs: {
      default: 'examples/log-lines/*.txt',
      description: 'the files to read; wildcards in the name',
    },
    out: { required: true, description: 'the directory to write to; it is made' },
    follow: { type: 'boolean', default: false, description: 'wait for more, as `tail -F` does' },
  },
  build: logLines,
})
