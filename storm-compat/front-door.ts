// How the command line runs Storm topologies: Flux YAML files, and modules that export a topology or a builder.
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ClusterGear, Gear } from 'gearpump'
import type { FrontDoor, Loaded, RunOptions, ServeOptions, Service } from 'gearpump/spi'
import type { Conf } from './component/api.ts'
import { type ServiceOptions, serveDrpc } from './drpc/service.ts'
import { loadFlux } from './flux/load.ts'
import { shellOrClass } from './jvm/shell-classes.ts'
import { startNimbus } from './nimbus/nimbus.ts'
import { gearHost } from './nimbus/topology-host.ts'
import { TopologyBuilder } from './topology/builder.ts'
import type { StormTopology } from './topology/topology.ts'
import { translate } from './translate/translate.ts'
import { always } from './ui/nimbus-calls.ts'
import { startUi } from './ui/ui-server.ts'

export const frontDoor: FrontDoor = {
  extensions: ['.yaml', '.yml', '.flux'],

  async load(options) {
    const { topology, notices } = await loadFlux(options.file, {
      properties: options.properties,
      envFilter: options.envFilter,
      overrides: options.config,
      workingFolder: process.cwd(),
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

  async serve(gear, { drpc: ports, ...options }) {
    const drpc = ports === undefined ? undefined : await serveDrpc(ports, drpcOptionsOf(options))
    const opened: Service[] = drpc === undefined ? [] : [drpc]
    const close = async () => {
      for (const service of opened.toReversed()) await service.close()
    }
    try {
      const { port } = options
      if (port !== undefined)
        opened.unshift(...(await openNimbus(gear, { ...options, port }, drpc?.conf)))
    } catch (error) {
      await close()
      throw error
    }
    return { name: opened.map(({ name }) => name).join('; '), close }
  },
}

/** A Nimbus, and the REST API of its UI where that is wanted. */
async function openNimbus(
  gear: Gear,
  options: Omit<ServeOptions, 'drpc' | 'port'> & { readonly port: number },
  conf: Conf | undefined,
): Promise<Service[]> {
  const { port, uiPort, address, tls, users, advertise, log } = options
  const nimbus = await startNimbus({
    host: gearHost({ gear }),
    port,
    address,
    log,
    readJava: shellOrClass,
    java: { env: process.env, homeDir: homedir() },
    ...(isCluster(gear) ? { notes: gear.notes } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(users === undefined ? {} : { passwordOf: (user: string) => users.get(user) }),
    ...(advertise === undefined ? {} : { advertise }),
    ...(conf === undefined ? {} : { conf }),
  })
  const name = `a Nimbus for Storm's clients at ${nimbus.address}:${nimbus.port}`
  const services: Service[] = [{ name, close: () => nimbus.close() }]
  if (uiPort === undefined) return services
  try {
    // Over HTTP nobody says who he is: where the Nimbus asks for that, the UI only shows.
    const actions = tls === undefined && users === undefined
    const ui = await startUi({ nimbus: always(nimbus.calls), port: uiPort, actions, log })
    const uiName = `its UI's API at http://${ui.address}:${ui.port}/api/v1/`
    return [...services, { name: uiName, close: () => ui.close() }]
  } catch (error) {
    await nimbus.close()
    throw error
  }
}

/** Who may come in at the Nimbus may come in here, and nobody else. */
function drpcOptionsOf(options: Omit<ServeOptions, 'drpc'>): ServiceOptions {
  const { address, tls, users, advertise, log } = options
  return {
    ...{ address, advertise, log },
    ...(tls === undefined ? {} : { tls }),
    ...(users === undefined ? {} : { passwordOf: (user: string) => users.get(user) }),
  }
}

function isCluster(gear: Gear): gear is ClusterGear {
  return 'notes' in gear
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
