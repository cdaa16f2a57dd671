// One case in a process of its own, so that its memory is its own: `case-process.ts NAME [SECONDS]`. One JSON line on stdout.
import { CASES } from './catalogue.ts'
import type { Findings } from './findings.ts'

export type CaseLine = Pick<Findings, 'measured' | 'failures'>

const [name, seconds] = process.argv.slice(2)
const soakCase = CASES.find(candidate => candidate.name === name)
if (soakCase === undefined) throw new Error(`no case "${name}"`)
let line: CaseLine
try {
  line = await soakCase.run(seconds === undefined ? undefined : Number(seconds))
} catch (error) {
  line = { measured: {}, failures: [error instanceof Error ? error.message : String(error)] }
}
process.stdout.write(`${JSON.stringify({ measured: line.measured, failures: line.failures })}\n`)
