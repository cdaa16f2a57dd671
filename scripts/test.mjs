// `npm test`: installs and builds what is missing, then lint, types, unit tests on the sources and end-to-end tests on the
// build. Closes with `N passed, N failed`. `node scripts/test.mjs unit` or `e2e` runs one part.
import { spawn } from 'node:child_process'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

const only = process.argv[2]
const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const REASON_LINES_MAX = 80

await ensureInstalled()
await ensureBuilt()
if (only === undefined) {
  await step('lint', ['npx', 'biome', 'check', '.'])
  await step('imports', [
    'npx',
    'depcruise',
    '--config',
    '.dependency-cruiser.cjs',
    'src',
    'storm-compat',
    'connectors',
  ])
  await step('types', ['npx', 'tsc', '-p', 'tsconfig.json'])
}
if (only !== 'e2e') await ava('unit tests', [])
if (only !== 'unit') await ava('end-to-end tests', ['--config', 'ava.e2e.config.mjs'])

// Once more at the end, where a log that was cut still has them.
for (const failure of failures)
  if (failure.trim() !== '') process.stdout.write(`failed: ${failure}\n`)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`)
process.exit(total.failed === 0 ? 0 : 1)

async function step(name, command) {
  const { code } = await run(name, command)
  if (code === 0) total.passed++
  else {
    total.failed++
    failures.push(name)
  }
}

async function ava(name, args) {
  const { code, output } = await run(name, ['npx', 'ava', ...args])
  const count = pattern => Number(output.match(pattern)?.[1] ?? 0)
  // With a failure ava leaves the number of the others out: then they are counted by their lines.
  const passed = count(/^\s*(\d+) tests? passed/m) || (output.match(/^\s*✔ /gm)?.length ?? 0)
  const failed = count(/^\s*(\d+) tests? failed/m)
  total.passed += passed
  total.skipped += count(/^\s*(\d+) tests? skipped/m)
  for (const [, title] of output.matchAll(/^\s*✘ (?:\[fail\]: )?(.*)$/gm)) failures.push(title)
  // What ava says of its failures stands between its first rule and its last.
  const [, ...reasons] = output.split(/^ {2}─$/m)
  failures.push(...reasons.slice(0, -1).join('').split('\n').slice(0, REASON_LINES_MAX))
  // Uncaught exceptions, time-outs and files that did not load fail the run without failing a test.
  total.failed += failed > 0 ? failed : code === 0 && passed > 0 ? 0 : 1
}

function run(name, [command, ...args]) {
  process.stdout.write(`\n=== ${name}\n`)
  const started = performance.now()
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', text => {
      output = (output + text).slice(-1_000_000)
      process.stdout.write(text)
    })
    child.on('close', code => {
      const seconds = Math.round((performance.now() - started) / 1000)
      process.stdout.write(`=== ${name}: ${code === 0 ? 'ok' : `exit ${code}`}, ${seconds} s\n`)
      resolve({ code, output })
    })
  })
}
