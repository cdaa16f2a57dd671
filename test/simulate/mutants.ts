// For each broken rule, how many worlds it takes to notice: `node … test/simulate/mutants.ts [worldsMax]`.

import { firstViolation } from './first-violation.ts'
import { MUTATIONS } from './mutations.ts'

const worldsMax = Number(process.argv[2] ?? 400)
let missed = 0
for (const name of Object.keys(MUTATIONS)) {
  const found = await firstViolation(name, { first: 1, worldsMax })
  if (found === undefined) missed++
  console.log(
    `${name}: ${found === undefined ? `NOT noticed in ${worldsMax} worlds` : `${found.worlds} worlds, ${found.violation}`}`,
  )
}
process.exitCode = missed === 0 ? 0 : 1
