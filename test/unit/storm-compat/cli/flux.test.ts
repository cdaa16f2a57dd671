// Flux by `storm jar` and `storm local` without a JVM: what is submitted, what runs here, and what is left to Java.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { fluxCall } from '../../../../storm-compat/cli/flux-options.ts'
import { writeJar } from '../../../../storm-compat/cli/jar-writer.ts'
import { topologyMessage } from '../../../../storm-compat/cli/topology-message.ts'
import type { Component } from '../../../../storm-compat/topology/topology.ts'
import '../../seed.ts'
import { type World, type WorldOptions, world } from './_surroundings.ts'

const FLUX = 'org.apache.storm.flux.Flux'
const run = promisify(execFile)

const TOPOLOGY = `
name: "\${name}"
config: { topology.workers: 2 }
spouts:
  - id: words
    className: org.apache.storm.flux.wrappers.spouts.FluxShellSpout
    constructorArgs: [[python3, words.py], [word]]
    parallelism: 2
bolts:
  - id: count
    className: org.apache.storm.flux.wrappers.bolts.FluxShellBolt
    constructorArgs: [[python3, count.py, --fast], [word, count]]
    configMethods: [{ name: addComponentConfig, args: [rate, 5] }]
    parallelism: 3
streams:
  - { from: words, to: count, grouping: { type: FIELDS, args: [word] } }
`

const answers = {
  beginFileUpload: '/inbox/1.jar',
  uploadChunk: undefined,
  finishFileUpload: undefined,
  submitTopologyWithOpts: undefined,
}

// A jar with the topology inside, and the same beside it.
async function jarred(w: World, yaml = TOPOLOGY): Promise<void> {
  await mkdir(join(w.dir, 'resources', 'conf'), { recursive: true })
  await writeFile(join(w.dir, 'resources', 'words.py'), 'pass')
  await writeFile(join(w.dir, 'resources', 'conf', 'topo.yaml'), yaml)
  await writeFile(join(w.dir, 'resources', 'conf', 'dev.properties'), 'name=from-jar\n')
  await writeFile(join(w.dir, 'topo.yaml'), yaml)
  await writeFile(join(w.dir, 'p.properties'), 'name=wc\n')
  await writeJar(join(w.dir, 'x.jar'), 'resources', w.dir)
}

async function fluxWorld(t: Parameters<typeof world>[0], options: WorldOptions = {}) {
  const w = await world(t, { answers, ...options })
  await jarred(w)
  return w
}

test('a topology of shell components is submitted without a JVM', async t => {
  const w = await fluxWorld(t)
  const line = ['--remote', 'topo.yaml', '--filter', 'p.properties', '-c', 'topology.debug=true']
  t.is(await w.run('jar', 'x.jar', FLUX, ...line), 0, w.notes())
  const { args } = w.calls.at(-1)!
  t.like(args, {
    name: 'wc',
    uploadedJarLocation: '/inbox/1.jar',
    options: { initial_status: 'ACTIVE' },
  })
  t.deepEqual(JSON.parse(args.jsonConf as string), {
    'topology.workers': 2,
    'topology.debug': true,
  })
  const { spouts, bolts } = args.topology as {
    spouts: Map<string, unknown>
    bolts: Map<string, unknown>
  }
  t.deepEqual(spouts.get('words'), {
    spout_object: {
      kind: 'shell',
      value: { execution_command: 'python3', script: 'words.py' },
    },
    common: {
      inputs: [],
      streams: new Map([['default', { output_fields: ['word'], direct: false }]]),
      parallelism_hint: 2,
    },
  })
  t.deepEqual(bolts.get('count'), {
    bolt_object: {
      kind: 'shell',
      value: { execution_command: 'env', script: "-S'python3' 'count.py' '--fast'" },
    },
    common: {
      inputs: [
        [
          { componentId: 'words', streamId: 'default' },
          { kind: 'fields', value: ['word'] },
        ],
      ],
      streams: new Map([['default', { output_fields: ['word', 'count'], direct: false }]]),
      parallelism_hint: 3,
      json_conf: '{"rate":5}',
    },
  })
  t.regex(
    w.printed(),
    /Topology Name: wc[\s\S]*words --fields--> count[\s\S]*Finished submitting topology: wc\n$/,
  )
})

test('--resource takes the file and its properties out of the jar; --inactive and --dry-run are heard', async t => {
  const w = await fluxWorld(t)
  const inside = ['--resource', '/resources/conf/topo.yaml', '-f', 'resources/conf/dev.properties']
  t.is(await w.run('jar', 'x.jar', FLUX, ...inside, '-i', '-q'), 0, w.notes())
  t.like(w.calls.at(-1)!.args, { name: 'from-jar', options: { initial_status: 'INACTIVE' } })
  t.notRegex(w.printed(), /TOPOLOGY DETAILS/)
  w.calls.length = 0
  t.is(await w.run('jar', 'x.jar', FLUX, ...inside, '--dry-run'), 0)
  t.deepEqual(w.calls, [])
})

test('with --resource the properties may be on disk, as up to Storm 1.2, and the file may be a .flux', async t => {
  const w = await fluxWorld(t)
  await writeFile(join(w.dir, 'resources', 'conf', 'topo.flux'), TOPOLOGY)
  await writeFile(join(w.dir, 'resources', 'p.properties'), 'name=in-jar\n')
  await writeJar(join(w.dir, 'y.jar'), 'resources', w.dir)
  const line = ['y.jar', FLUX, '--resource', '/resources/conf/topo.flux', '--filter']
  t.is(await w.run('jar', ...line, 'p.properties'), 0, w.notes())
  t.is(w.calls.at(-1)!.args.name, 'wc')
  t.is(await w.run('jar', ...line, 'resources/p.properties'), 0, w.notes())
  t.is(w.calls.at(-1)!.args.name, 'in-jar')
  t.is(await w.run('jar', ...line, 'nowhere.properties'), 1)
  t.regex(w.notes(), /nowhere\.properties/)
})

test('--local runs here, with the resources of the jar', async t => {
  const w = await fluxWorld(t)
  const seen: string[] = []
  const gear: World['around']['gear'] = async argv => {
    const folder = argv[argv.indexOf('--resources') + 1]!
    seen.push(readFileSync(join(folder, 'words.py'), 'utf8'), folder)
    w.gearCalls.push(argv)
    return 7
  }
  const { storm } = await import('../../../../storm-compat/cli/storm.ts')
  const around = { ...w.around, gear }
  const flux = ['x.jar', FLUX, 'topo.yaml', '-e', '-f', 'p.properties', '-c', 'a=b']
  t.is(await storm(['jar', ...flux, '--local', '--sleep', '5000'], gear, around), 7)
  t.is(await storm(['local', ...flux, '--local-ttl', '9'], gear, around), 7)
  const filter = ['--filter', join(w.dir, 'p.properties'), '--env-filter', '-c', 'a=b']
  const times = w.gearCalls.map(argv => argv.slice(-2))
  t.deepEqual(times, [
    ['--for', '5000ms'],
    ['--for', '9000ms'],
  ])
  t.deepEqual(w.gearCalls[0]!.slice(4, -2), filter)
  t.is(seen[0], 'pass')
  t.false(existsSync(seen[1]!))
  t.deepEqual(w.calls, [])
})

test('a class in Java is left to the Flux of the jar, and what else is wrong is told with its line', async t => {
  const env = { GEARPUMP_STORM_JARS: '' }
  const w = await fluxWorld(t, { env })
  await mkdir(join(w.dir, 'jars'))
  await writeFile(join(w.dir, 'jars', 'storm-client.jar'), '')
  env.GEARPUMP_STORM_JARS = join(w.dir, 'jars')
  const java = TOPOLOGY.replace(/org\S*FluxShellBolt/, 'com.example.CountBolt')
  await writeFile(join(w.dir, 'java.yaml'), java)
  t.is(await w.run('jar', 'x.jar', FLUX, 'java.yaml'), 0)
  t.deepEqual(w.programs[0]!.args.slice(-2), [FLUX, 'java.yaml'])
  t.regex(w.notes(), /the class com\.example\.CountBolt needs Java/)
  await writeFile(join(w.dir, 'wrong.yaml'), TOPOLOGY.replace('to: count', 'to: cuont'))
  t.is(await w.run('jar', 'x.jar', FLUX, 'wrong.yaml', '-f', 'p.properties'), 2)
  t.regex(w.notes(), /wrong\.yaml:16:\d+: .*cuont/)
  t.is(w.programs.length, 1)
  t.is(await w.run('local', 'x.jar', FLUX, 'java.yaml'), 0)
  t.deepEqual(w.programs[2]!.args.slice(-3), [FLUX, '--remote', 'java.yaml'])
  t.is(await w.run('jar', 'x.jar', FLUX, 'none.yaml'), 1)
  t.regex(w.notes(), /there is no Flux file .*none\.yaml/)
})

test("Flux's own options are read, and what it does not know is refused", t => {
  t.is(fluxCall(['a.yaml']).localForMs, undefined)
  t.is(fluxCall(['--local', 'a.yaml']).localForMs, 60_000)
  t.is(fluxCall(['-l', '-r', 'a.yaml']).localForMs, undefined)
  t.throws(() => fluxCall([]))
  t.throws(() => fluxCall(['a.yaml', 'b.yaml']))
  t.throws(() => fluxCall(['a.yaml', '--lokal']), { message: /did you mean --local/ })
  t.throws(() => fluxCall(['a.yaml', '-l', '-s', '5s']))
})

function shellSpout(command: string[], env: Record<string, string>): Component {
  return {
    id: 's',
    kind: 'spout',
    implementation: { kind: 'shell', command, env, changeChildCwd: true },
    inputs: [],
    streams: new Map(),
    parallelismHint: 1,
    numTasks: undefined,
    config: {},
  }
}

test('a command of any words and variables arrives as it was, through env -S', async t => {
  const tell =
    'console.log(JSON.stringify([process.argv.slice(1), process.env.V, process.env.PATH]))'
  const letters = ["'", '"', '\\', ' ', '$', '{', '}', '#', '\n', '-', '=', 'a', 'ä', '🙂']
  const text = fc.string({ unit: fc.constantFrom(...letters) })
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 4 }), text, async (words, value) => {
      const command = [process.execPath, '-e', tell, '--', ...words]
      const components = [shellSpout(command, { V: value, PATH: '/more bins' })]
      const message = topologyMessage({ name: 't', config: {}, components })
      if ('cannot' in message) throw new Error(message.cannot)
      const object = message.spouts.get('s')!.spout_object
      if (object.kind !== 'shell') throw new Error(object.kind)
      const { execution_command, script } = object.value
      const { stdout } = await run(execution_command!, [script!])
      t.deepEqual(JSON.parse(stdout), [words, value, `${process.env.PATH}:/more bins`])
    }),
    { numRuns: 15 },
  )
})

test('what only Java can say is told by component', t => {
  const cannot = (change: Partial<Component>) => {
    const components = [{ ...shellSpout(['a', 'b'], {}), ...change }]
    const message = topologyMessage({ name: 't', config: {}, components })
    return 'cannot' in message ? message.cannot : undefined
  }
  t.is(cannot({}), undefined)
  const implementation = { kind: 'shell', command: ['a'], env: {}, changeChildCwd: false } as const
  t.regex(cannot({ implementation })!, /^s keeps the working directory/)
  t.regex(cannot({ implementation: { kind: 'bolt', create: () => null as never } })!, /no shell/)
  const grouping = { type: 'partialKey', fields: ['a'] } as const
  const inputs = [{ component: 'x', stream: 'default', grouping }]
  t.regex(cannot({ inputs })!, /partialKey grouping/)
})
