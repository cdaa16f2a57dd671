// Runs a topology that answers functions in this process, for tests: a LocalDRPC, the engine, and the topology between them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type RunningApp } from 'gearpump'
import type { StormTopology } from '../topology/topology.ts'
import { translate } from '../translate/translate.ts'
import { LinearDRPCTopologyBuilder } from './linear-builder.ts'
import { LocalDRPC, type LocalDRPCOptions } from './local-drpc.ts'

export interface WithLocalDRPCOptions extends LocalDRPCOptions {
  /** Working directory of shell components. `resources` in the current one if not given. */
  readonly resources?: string
}

/**
 * Calls `body` with a DRPC server that a topology answers, and ends both afterwards.
 *
 * @example
 * await withLocalDRPC(reachBuilder(), async drpc => {
 *   t.is(await drpc.execute('reach', 'foo.com/blog/1'), '16')
 * })
 */
export async function withLocalDRPC<T>(
  answering: LinearDRPCTopologyBuilder | ((drpc: LocalDRPC) => StormTopology),
  body: (drpc: LocalDRPC, app: RunningApp) => Promise<T>,
  options: WithLocalDRPCOptions = {},
): Promise<T> {
  const drpc = new LocalDRPC(options)
  const topology =
    answering instanceof LinearDRPCTopologyBuilder
      ? answering.createLocalTopology(drpc)
      : answering(drpc)
  const runDir = mkdtempSync(join(tmpdir(), 'gearpump-drpc-'))
  const gear = await connect()
  try {
    const { application } = translate(topology, {
      resources: options.resources ?? 'resources',
      pidDir: runDir,
      startedMs: Date.now(),
    })
    return await body(drpc, await gear.submit(application))
  } finally {
    drpc.shutdown()
    await gear.close()
    rmSync(runDir, { recursive: true, force: true })
  }
}
