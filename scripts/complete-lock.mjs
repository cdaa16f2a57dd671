// Completes package-lock.json after `npm install`: npm leaves out optional packages of other platforms that it could not
// look up, and `npm ci` then refuses the file. Each is added with the exact version its parent asks for.
import { readFileSync, writeFileSync } from 'node:fs'

const LOCK = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(LOCK, 'utf8'))
const ARCHES = { arm: 'arm', arm64: 'arm64', x64: 'x64' }

for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    if (path === '' || lock.packages[key] !== undefined || !/^\d/.test(range)) continue
    const [, os, arch, libc] =
      name.match(/-(android|darwin|linux|win32)-(arm64|arm|x64)(-musl)?$/) ?? []
    if (os === undefined) continue
    lock.packages[key] = {
      version: range,
      cpu: [ARCHES[arch]],
      dev: true,
      ...(libc === undefined ? {} : { libc: ['musl'] }),
      optional: true,
      os: [os],
    }
  }
}
const sorted = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
)
writeFileSync(LOCK, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`)
