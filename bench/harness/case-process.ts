// The process of one case: `node case-process.ts NAME SECS WARM`. Prints one JSON line per row on stdout.
import { cases } from './cases.ts'

const [name = '', secs = '8', warm = '4'] = process.argv.slice(2)
const wanted = cases.find(one => one.name === name)
if (wanted === undefined) throw new Error(`no case "${name}"`)
const rows = await wanted.run({ secs: Number(secs), warm: Number(warm) })
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`)
