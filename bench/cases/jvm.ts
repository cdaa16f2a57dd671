// Java spout → Java split → Java count, every sentence acked: through the JVM beside the executor, and on Storm's own
// LocalCluster, one after the other. Needs what `test/real/bring.sh storm-lib` brings, and a JDK when the engine is built.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { connect, noLog } from 'gearpump'
import { gearHost, shellOrClass, startNimbus } from 'gearpump/storm'
import { part, type RealPart } from '../../test/real/parts.ts'
import { type Case, skipped } from '../harness/case.ts'
import { cost, rounded, usage } from '../harness/machine.ts'
import type { Row, Timing } from '../harness/measure.ts'

const NAME = 'jvm-word-count'
const SETTINGS = ['topology.max.spout.pending=1000']
/** A JVM compiles for a while; the same for both sides. */
const WARM_S_MIN = 15

async function run(timing: Timing): Promise<readonly Row[]> {
  const lib = part('storm-lib')
  if ('missing' in lib) return skipped(NAME, lib.missing)
  const warm = Math.max(WARM_S_MIN, timing.warm)
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
  try {
    const storms = await onStorm(lib, dir, { ...timing, warm })
    return [{ case: NAME, ...(await here(lib, dir, { ...timing, warm }, storms)) }]
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Sentences acked per second. */
async function onStorm(lib: RealPart, dir: string, { secs, warm }: Timing): Promise<number> {
  const classPath = `${join(lib.dir, 'local')}/*:${join(lib.dir, 'classes', '2')}`
  const args = ['-Xmx1g', '-cp', classPath, 'JvmPeer', 'flood', dir, '600', ...SETTINGS]
  const peer = spawn(lib.program!, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(peer, 'exit')
  const rates: number[] = []
  try {
    for await (const line of createInterface({ input: peer.stdout })) {
      const acked = Number(/^acked in a second: (\d+)/.exec(line)?.[1] ?? 0)
      // Seconds before the first tuple do not count.
      if (acked > 0 || rates.length > 0) rates.push(acked)
      if (rates.length >= warm + secs) break
    }
  } finally {
    peer.kill('SIGKILL')
    await ended
  }
  const counted = rates.slice(warm)
  return counted.reduce((sum, rate) => sum + rate, 0) / counted.length
}

async function here(lib: RealPart, dir: string, { secs, warm }: Timing, storms: number) {
  process.env.GEARPUMP_STORM_JARS = join(lib.dir, 'lib')
  const gear = await connect({ log: noLog })
  const nimbus = await startNimbus({
    host: gearHost({ gear }),
    port: 0,
    readJava: shellOrClass,
    java: { env: process.env, homeDir: homedir() },
  })
  try {
    const classes = `${join(lib.dir, 'lib/2')}/*:${join(lib.dir, 'classes/2')}`
    const given = [String(nimbus.port), join(lib.dir, 'tour-2.jar'), 'flood', dir, ...SETTINGS]
    await promisify(execFile)(lib.program!, ['-Xmx256m', '-cp', classes, 'JvmTour', ...given])
    const acked = async () => (await gear.info('flood')).figures.acked
    await delay(warm * 1000)
    const [before, from] = [await acked(), usage()]
    await delay(secs * 1000)
    const [after, to] = [await acked(), usage()]
    const perS = ((after - before) * 1000) / (to.atMs - from.atMs)
    return {
      msgs_per_sec: Math.round(perS),
      storm_msgs_per_sec: Math.round(storms),
      ratio: rounded(perS / storms),
      ...cost(from, to),
    }
  } finally {
    await nimbus.close()
    await gear.close()
  }
}

export const jvmCase: Case = {
  name: NAME,
  about: 'Java components in the JVM beside the executor, and on Storm’s LocalCluster',
  run,
}
