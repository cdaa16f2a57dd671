// `npm run bench -- [CASE…] [--secs N] [--warm N] [--list] [--node OPTION]…`: one JSON line per case on stdout.
import { parseArgs } from 'node:util'
import { cases } from './cases.ts'
import { runCase } from './run-case.ts'

/** Returns the exit code: 1 when a case failed, 2 for bad usage. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      secs: { type: 'string', default: '8' },
      warm: { type: 'string', default: '4' },
      list: { type: 'boolean', default: false },
      node: { type: 'string', multiple: true, default: [] },
    },
  })
  if (values.list) {
    for (const { name, about } of cases) process.stdout.write(`${name.padEnd(22)}${about}\n`)
    return 0
  }
  const names = cases.map(({ name }) => name)
  const unknown = positionals.filter(name => !names.includes(name))
  const timing = { secs: Number(values.secs), warm: Number(values.warm) }
  if (unknown.length > 0 || !(timing.secs >= 1) || !(timing.warm >= 0)) {
    const what = unknown.length > 0 ? `no case ${unknown.join(', ')}` : 'bad --secs or --warm'
    process.stderr.write(`${what}; --list names the cases\n`)
    return 2
  }
  let code = 0
  for (const name of positionals.length > 0 ? positionals : names) {
    for (const row of await runCase(name, { ...timing, node: values.node })) {
      process.stdout.write(`${JSON.stringify(row)}\n`)
      if ('error' in row) code = 1
    }
  }
  return code
}
