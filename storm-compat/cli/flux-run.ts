// Flux without a JVM: `storm jar X.jar org.apache.storm.flux.Flux topo.yaml` and the same with `storm local`. A topology of
// shell components is read here, and submitted by Thrift or run on this machine; the jar gives the resources. What needs
// Java is left to the jar's own Flux.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadFlux } from '../flux/load.ts'
import { unpackResources } from '../nimbus/jar-resources.ts'
import type { StormTopology as Message } from '../thrift/storm-topology.ts'
import type { StormTopology } from '../topology/topology.ts'
import { type CommandLine, list } from './command-line.ts'
import { type FluxFiles, fluxFiles, javaClassIn } from './flux-files.ts'
import type { FluxCall } from './flux-options.ts'
import { withNimbus } from './nimbus-door.ts'
import { settingsOf } from './storm-conf.ts'
import { topologyMessage } from './topology-message.ts'
import { checkFile, uploadFile } from './upload.ts'
import { EXIT_OK, type Surroundings } from './verb.ts'

interface FluxRun {
  readonly line: CommandLine
  readonly jar: string
  readonly call: FluxCall
  readonly around: Surroundings
  /** A private folder for this run. */
  readonly directory: string
}

/** Resolves with the exit code, or with why a JVM is needed. */
export async function runFlux(
  line: CommandLine,
  jar: string,
  call: FluxCall,
  around: Surroundings,
): Promise<number | { readonly needsJava: string }> {
  await checkFile(jar)
  const directory = await mkdtemp(join(tmpdir(), 'gearpump-flux-'))
  try {
    return await run({ line, jar, call, around, directory })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function run(flux: FluxRun): Promise<number | { readonly needsJava: string }> {
  const { call, jar, around, directory } = flux
  const files = await fluxFiles(call, { jar, directory: join(directory, 'jar'), cwd: around.cwd })
  const java = await javaClassIn(files, [dirname(files.yaml), around.cwd])
  if (java !== undefined) return { needsJava: `the class ${java}` }
  if (call.localForMs !== undefined && !call.dryRun) return runHere(flux, files, call.localForMs)
  const { topology, notices } = await loadFlux(files.yaml, {
    envFilter: call.envFilter,
    env: around.env,
    overrides: settingsOf(flux.line),
    workingFolder: around.cwd,
    ...(files.filter === undefined ? {} : { properties: files.filter }),
  })
  const message = topologyMessage(topology)
  if ('cannot' in message) return { needsJava: message.cannot }
  for (const notice of notices) around.note(`storm: ${notice}`)
  around.out(`${call.resource ? 'Parsing classpath resource' : 'Parsing file'}: ${files.yaml}\n`)
  if (call.detail) around.out(detailsOf(topology))
  if (!call.dryRun) await submit(flux, topology, message)
  return EXIT_OK
}

async function submit(
  { line, jar, call, around }: FluxRun,
  topology: StormTopology,
  message: Message,
): Promise<void> {
  const { name, config } = topology
  await withNimbus(line, around, async ({ client }) => {
    const uploadedJarLocation = await uploadFile(client, jar)
    around.out(`Successfully uploaded topology jar to assigned location: ${uploadedJarLocation}\n`)
    await client.call('submitTopologyWithOpts', {
      name,
      uploadedJarLocation,
      jsonConf: JSON.stringify(config),
      topology: message,
      options: { initial_status: call.inactive ? 'INACTIVE' : 'ACTIVE' },
    })
  })
  around.out(`Finished submitting topology: ${name}\n`)
}

// By `gear run`, with the jar's resources as the working directory of the children.
async function runHere(
  { line, jar, call, around, directory }: FluxRun,
  files: FluxFiles,
  forMs: number,
): Promise<number> {
  const resources = join(directory, 'resources')
  await mkdir(resources)
  await unpackResources(jar, resources)
  const options = [
    ...(files.filter === undefined ? [] : ['--filter', files.filter]),
    ...(call.envFilter ? ['--env-filter'] : []),
    ...list(line, 'setting').flatMap(setting => ['-c', setting]),
    ...(forMs === 0 ? [] : ['--for', `${forMs}ms`]),
  ]
  return around.gear(['local', files.yaml, '--resources', resources, ...options], {
    doors: ['gearpump/storm'],
    command: 'storm',
    runName: 'local',
  })
}

/** What Flux prints of a topology before it submits it. */
function detailsOf({ name, components }: StormTopology): string {
  const row = ({ id, parallelismHint, kind }: StormTopology['components'][number]) =>
    `${id} [${parallelismHint}] (shell ${kind})`
  const streams = components.flatMap(({ id, inputs }) =>
    inputs.map(({ component, grouping }) => `${component} --${grouping.type}--> ${id}`),
  )
  const lines = [
    '---------- TOPOLOGY DETAILS ----------',
    `Topology Name: ${name}`,
    '--------------- SPOUTS ---------------',
    ...components.filter(({ kind }) => kind === 'spout').map(row),
    '---------------- BOLTS ---------------',
    ...components.filter(({ kind }) => kind === 'bolt').map(row),
    '--------------- STREAMS ---------------',
    ...streams,
    '--------------------------------------',
  ]
  return `${lines.join('\n')}\n`
}
