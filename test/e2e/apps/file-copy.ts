// Copies the lines of files to files: a file source, a relay, a file sink.
import {
  application,
  graph,
  processor,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { type FileSinkOptions, type FileSourceOptions, fileSink, fileSource } from 'gearpump/files'

export interface FileCopyInput {
  readonly from: string
  readonly to: string
  readonly openMax: number
}

class Relay implements Task<string, string> {
  onNext = (line: string, context: TaskContext<string>): void => context.output(line)
}

export interface FileCopyParts {
  readonly lines: FileSourceOptions
  readonly relay: () => Task<string, string>
  readonly relays: number
  readonly out: FileSinkOptions<string>
}

/** Two readers, some relays, two writers. */
export function copyGraph({ lines, relay, relays, out }: FileCopyParts) {
  const read = source('lines', fileSource(lines), { parallelism: 2 })
  const passed = processor<string, string>('relay', relay, { parallelism: relays })
  const written = processor('out', fileSink<string>(out), { parallelism: 2 })
  return graph(read.to(passed, shuffle()).to(written, shuffle()))
}

/** Where each writer's files are. */
export const outPath = (to: string) => `${to}/{processor}-{index}-{sequence}.txt`

export function fileCopy(input: FileCopyInput) {
  const copy = copyGraph({
    lines: { directory: input.from, openMax: input.openMax },
    relay: () => new Relay(),
    relays: 2,
    out: { path: outPath(input.to), rollBytes: 200_000 },
  })
  return application('file-copy', copy, {
    profile: { timeoutMs: 10_000 },
    code: { module: import.meta.url, export: 'fileCopy', input },
  })
}
