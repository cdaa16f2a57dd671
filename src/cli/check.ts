// `gear check FILE`: loads and validates, runs nothing.
import type { Application } from '../app/application.ts'
import { loadProgram } from '../client/program-file.ts'
import { EXIT_OK, errorExitCode } from './ending.ts'
import { RunPlace } from './run-place.ts'
import { type FileRequest, programOptions } from './run-request.ts'
import { neverLoaded, unlessStuck } from './unsettled.ts'
import type { Voice } from './voice.ts'

export async function checkFile(
  request: FileRequest,
  stdout: { write(text: string): unknown },
  voice: Voice,
): Promise<number> {
  let place: RunPlace | undefined
  try {
    place = new RunPlace(false)
    const { application, notices } = await unlessStuck(
      loadProgram(programOptions(request, place)),
      () => neverLoaded(request.file),
    )
    for (const notice of notices) voice.warn(notice)
    stdout.write(`${request.file} is valid: ${summary(application)}\n`)
    return EXIT_OK
  } catch (error) {
    voice.error(error)
    return errorExitCode(error)
  } finally {
    place?.close()
  }
}

function summary({ name, dag }: Application): string {
  const tasks = dag.processors.reduce((sum, processor) => sum + processor.tasks.length, 0)
  const list = dag.processors.map(p =>
    p.tasks.length === 1 ? p.name : `${p.name}×${p.tasks.length}`,
  )
  const shown = list.length > 10 ? [...list.slice(0, 10), '…'] : list
  return `application "${name}", ${dag.processors.length} processors, ${tasks} tasks (${shown.join(', ')})`
}
