// A promise of the user's that can never be settled: nothing is left that this process waits for, and Node would end it without
// a word, or with one about a file of ours. While a file is loaded or its tasks start, that is told as what it is.
import { EngineError } from '../base/errors.ts'

/** As `work`; rejects with what `stuck` gives when this process has nothing left to do before `work` has ended. */
export async function unlessStuck<T>(work: Promise<T>, stuck: () => EngineError): Promise<T> {
  let onIdle: () => void = () => undefined
  const idle = new Promise<never>((_, reject) => {
    onIdle = () => reject(stuck())
  })
  process.once('beforeExit', onIdle)
  try {
    return await Promise.race([work, idle])
  } finally {
    process.off('beforeExit', onIdle)
  }
}

/** What to tell when a file never came to be loaded. */
export function neverLoaded(file: string): EngineError {
  const message = `${file} awaits something that cannot happen any more`
  return new EngineError('MODULE_NOT_LOADED', message, {
    hint: 'a promise at its top level, or of the function that it exports, is never settled',
  })
}

/** What to tell when the tasks never came to be started. */
export function neverStarted(): EngineError {
  const message = 'a task awaits something that cannot happen any more, so that nothing starts'
  return new EngineError('TASK_START_FAILED', message, {
    hint: 'the promise of its onStart, or of the open of a source, is never settled',
  })
}
