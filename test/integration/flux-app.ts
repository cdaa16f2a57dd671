// Starts a Flux file of the end-to-end tests by the client API, for tests that steer the application while it runs.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { connect, noLog, type RunningApp, streamLog } from 'gearpump'
import { frontDoor } from 'gearpump/storm'
import { giveTuples, resourcesIn, testDir, topologyFile } from '../e2e/flux-run.ts'
import type { RealPart } from '../real/parts.ts'

export interface FluxAppOptions {
  readonly given?: readonly (readonly unknown[])[]
  readonly parts?: readonly RealPart[]
  readonly config?: Readonly<Record<string, unknown>>
  readonly active?: boolean
}

export interface FluxApp {
  readonly app: RunningApp
  readonly dir: string
}

/** Loads and submits topologies/NAME.yaml; it ends with the test. `dir` is known to it as in `runFlux`. */
export async function startFlux(
  t: ExecutionContext,
  name: string,
  options: FluxAppOptions = {},
): Promise<FluxApp> {
  const dir = testDir(t)
  giveTuples(dir, options.given ?? [])
  const runDir = join(dir, 'run')
  mkdirSync(join(runDir, 'pids'), { recursive: true })
  const { application } = await frontDoor.load({
    file: topologyFile(name),
    resources: resourcesIn(dir, options.parts ?? []),
    config: { ...options.config, 'test.dir': dir },
    properties: { dir },
    envFilter: false,
    args: {},
    runDir,
    logDir: undefined,
    startedMs: Date.now(),
  })
  const log =
    process.env.DEBUG_LOG === undefined ? noLog : streamLog(process.stderr, 'trace', 'text')
  const gear = await connect({ log })
  t.teardown(() => gear.close())
  return { app: await gear.submit(application, { active: options.active ?? true }), dir }
}
