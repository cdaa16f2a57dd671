// The application of a bundle, in a process of its own: the portable reference becomes one into the directory where the
// bundle was unpacked, and places that only this process has (its private directory, its log files) are filled in.

import type { Application, CodeRef } from '../app/application.ts'
import { loadCode } from '../app/code.ts'
import { revive } from '../cluster/code-shipping.ts'
import type { ProcessOrder } from '../cluster/worker.ts'

export async function shippedApplication(
  order: ProcessOrder,
  runDir: string,
  logDir: string,
): Promise<Application> {
  const code = revive(order.code as never, order.directory) as CodeRef
  const input = code.input
  if (!isProgramInput(input)) return loadCode(code)
  // What `gear app run` was asked, with the directories of the machine where it was asked.
  return loadCode({ ...code, input: { ...input, runDir, logDir } })
}

function isProgramInput(input: unknown): input is { runDir: string; logDir: string } {
  return typeof input === 'object' && input !== null && 'runDir' in input && 'logDir' in input
}
