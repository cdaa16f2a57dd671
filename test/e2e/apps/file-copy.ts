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
import { fileSink, fileSource } from 'gearpump/files'

export interface FileCopyInput {
  readonly from: string
  readonly to: string
  readonly openMax: number
}

class Relay implements Task<string, string> {
  onNext = (line: string, context: TaskContext<string>): void => context.output(line)
}

export function fileCopy(input: FileCopyInput) {
  const lines = source('lines', fileSource({ directory: input.from, openMax: input.openMax }), {
    parallelism: 2,
  })
  const relay = processor<string, string>('relay', () => new Relay(), { parallelism: 2 })
  const out = processor(
    'out',
    fileSink<string>({
      path: `${input.to}/{processor}-{index}-{sequence}.txt`,
      rollBytes: 200_000,
    }),
    { parallelism: 2 },
  )
  return application('file-copy', graph(lines.to(relay, shuffle()).to(out, shuffle())), {
    profile: { timeoutMs: 10_000 },
    code: { module: import.meta.url, export: 'fileCopy', input },
  })
}
