// How the command line runs Storm topologies: Flux YAML files, and modules that export a topology or a builder.
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { FrontDoor, Loaded, RunOptions } from 'gearpump/spi'
import { loadFlux } from './flux/load.ts'
import { shellOrClass } from './jvm/shell-classes.ts'
import { startNimbus } from './nimbus/nimbus.ts'
import { gearHost } from './nimbus/topology-host.ts'
import { TopologyBuilder } from './topology/builder.ts'
import type { StormTopology } from './topology/topology.ts'
import { translate } from './translate/translate.ts'

export const frontDoor: FrontDoor = {
  extensions: ['.yaml', '.yml'],

  async load(options) {
    const { topology, notices } = await loadFlux(options.file, {
      properties: options.properties,
      envFilter: options.envFilter,
      overrides: options.config,
      ...(options.name === undefined ? {} : { name: options.name }),
    })
    return run(topology, options, notices)
  },

  accepts: value => value instanceof TopologyBuilder || isTopology(value),

  async translate(value, options) {
    const topology =
      value instanceof TopologyBuilder
        ? value.createTopology(options.name ?? nameOf(options.file))
        : (value as StormTopology)
    const { name = topology.name } = options
    const config = { ...topology.config, ...options.config }
    return run({ ...topology, name, config }, options, [])
  },

  async serve(gear, { port, log }) {
    const nimbus = await startNimbus({
      host: gearHost({ gear }),
      port,
      log,
      readJava: shellOrClass,
      java: { env: process.env, homeDir: homedir() },
    })
    return {
      name: `a Nimbus for Storm's clients at ${nimbus.address}:${nimbus.port}`,
      close: () => nimbus.close(),
    }
  },
}

function run(topology: StormTopology, options: RunOptions, notices: readonly string[]): Loaded {
  const translated = translate(topology, {
    resources: options.resources ?? join(dirname(options.file), 'resources'),
    pidDir: join(options.runDir, 'pids'),
    logDir: options.logDir,
    startedMs: options.startedMs,
  })
  return {
    application: translated.application,
    notices: [...new Set([...notices, ...translated.notices])],
  }
}

function isTopology(value: unknown): boolean {
  const topology = value as Partial<StormTopology> | null
  return (
    typeof topology === 'object' &&
    topology !== null &&
    Array.isArray(topology.components) &&
    typeof topology.name === 'string'
  )
}

function nameOf(file: string): string {
  return file.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '')
}
