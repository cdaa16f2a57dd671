import { LoadRun } from '/work/main/test/soak/load-run.ts'
import { idleApp } from '/work/main/test/soak/apps/native.ts'
import { cpuBetween, family } from '/work/main/test/soak/machine.ts'
const executors = Number(process.argv[2]), sources = Number(process.argv[3]), tasks = Number(process.argv[4])
const run = await LoadRun.start(dir => idleApp({ dir, sources, tasks }), { executors })
const pause = ms => new Promise(r => setTimeout(r, ms))
await pause(3000)
const info = await run.app.info()
console.log('pids', [process.pid, ...info.executors.map(e => e.pid).filter(Boolean)].join(','))
const a = family()
await pause(10000)
const b = family()
for (const m of b) { const x = a.find(p => p.pid === m.pid); console.log(m.pid, m.name, ((m.cpuMs - x.cpuMs) / 100).toFixed(2), '%') }
await run.dispose()
