import { CLUSTER_MUTATIONS, firstClusterViolation } from './cluster/mutations.ts'

for (const name of Object.keys(CLUSTER_MUTATIONS)) {
  const t = process.cpuUsage().user
  const f = await firstClusterViolation(name, { first: 2000, worldsMax: 200 })
  console.log(
    name,
    '|',
    f?.worlds,
    f?.violation.slice(0, 200),
    Math.round((process.cpuUsage().user - t) / 1e6),
    's',
  )
}
