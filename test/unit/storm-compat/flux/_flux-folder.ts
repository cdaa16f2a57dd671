// A temporary folder of Flux files for one test, removed when the test ends.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { UserError } from 'gearpump/spi'
import { type FluxOptions, loadFlux } from '../../../../storm-compat/flux/load.ts'

/** Writes the files and returns the path of the first. */
export function fluxFolder(t: ExecutionContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'flux-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return join(folder, Object.keys(files)[0]!)
}

/** Loads one file that must be wrong; returns `line:column message (hint)` of each problem. */
export async function problemsOf(
  t: ExecutionContext,
  text: string,
  options?: FluxOptions,
): Promise<string[]> {
  const file = fluxFolder(t, { 'topology.yaml': text })
  const error = await t.throwsAsync(loadFlux(file, options), { instanceOf: UserError })
  t.is(error?.code, 'FLUX_INVALID')
  return (error?.problems ?? []).map(({ place, message, hint }) => {
    const at = place.startsWith(file) ? place.slice(file.length + 1) : place
    return `${at} ${message}${hint === undefined ? '' : ` (${hint})`}`
  })
}
