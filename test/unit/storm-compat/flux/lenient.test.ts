// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Flux itself writes ${name}.
// What Storm's Flux takes without a word although it looks like a mistake: files from elsewhere are full of it.
import { dirname } from 'node:path'
import test from 'ava'
import { loadFlux } from '../../../../storm-compat/flux/load.ts'
import type { Component, StormTopology } from '../../../../storm-compat/topology/topology.ts'
import { fluxFolder } from './_flux-folder.ts'

const SHELL_SPOUT = 'org.apache.storm.flux.wrappers.spouts.FluxShellSpout'
const SHELL_BOLT = 'org.apache.storm.flux.wrappers.bolts.FluxShellBolt'

function find(topology: StormTopology, id: string): Component {
  const component = topology.components.find(c => c.id === id)
  if (component === undefined) throw new Error(`no component ${id}`)
  return component
}

const pair = (changes: { s?: string; b?: string; streams?: string; top?: string }) => `
name: pair
${changes.top ?? ''}
spouts:
  - id: s
    className: ${SHELL_SPOUT}
    constructorArgs: [[s], [word]]
    ${changes.s ?? ''}
bolts:
  - id: b
    className: ${SHELL_BOLT}
    constructorArgs: [[b]]
    ${changes.b ?? ''}
streams:
  - {from: s, to: b, grouping: {type: SHUFFLE}}
  ${changes.streams ?? ''}
`

test('numbers and flags may stand in quotes, as properties that were put in often do', async t => {
  const file = fluxFolder(t, {
    'a.yaml': pair({
      top: 'includes: [{file: b.yaml, resource: "false", override: "True"}]',
      s: 'parallelism: "${par}"',
      b: 'parallelism: "2"\n    numTasks: "4"\n    cpuLoad: "50"',
    }),
    'b.yaml': 'name: included\n',
  })
  const { topology } = await loadFlux(file, { properties: { par: '3' } })
  t.is(topology.name, 'included')
  t.is(find(topology, 's').parallelismHint, 3)
  t.like(find(topology, 'b'), { parallelismHint: 2, numTasks: 4 })
  t.is(find(topology, 'b').config['topology.component.cpu.pcore.percent'], 50)
})

test('of two with the same id, and of two subscriptions to the same stream, the last one counts', async t => {
  const file = fluxFolder(t, {
    'a.yaml': pair({
      b: `
  - id: b
    className: ${SHELL_BOLT}
    constructorArgs: [[other], [x]]`,
      streams: '- {from: s, to: b, grouping: {type: FIELDS, args: [word]}}',
    }),
  })
  const { topology, notices } = await loadFlux(file)
  t.is(topology.components.length, 2)
  t.like(find(topology, 'b').implementation, { command: ['other'] })
  t.deepEqual(
    find(topology, 'b').inputs.map(i => i.grouping),
    [{ type: 'fields', fields: ['word'] }],
  )
  t.regex(notices.join('\n'), /:14:5: takes the place of the "b" at .*:10:5/)
  t.regex(notices.join('\n'), /:19:5: takes the place of the subscription at .*:18:5/)
})

test('a bolt may subscribe to ticks of the system', async t => {
  const tick = 'grouping: {type: SHUFFLE, streamId: __tick}'
  const file = fluxFolder(t, { 'a.yaml': pair({ streams: `- {from: __system, to: b, ${tick}}` }) })
  const { topology, notices } = await loadFlux(file)
  t.deepEqual(
    find(topology, 'b').inputs.map(i => `${i.component}/${i.stream}`),
    ['s/default', '__system/__tick'],
  )
  t.deepEqual(notices, [])
})

test('the setters of a shell component are its properties', async t => {
  const s = 'properties: [{name: env, value: {A: 1}}, {name: defaultStream, value: [x, y]}]'
  const { topology } = await loadFlux(fluxFolder(t, { 'a.yaml': pair({ s }) }))
  t.like(find(topology, 's').implementation, { env: { A: '1' } })
  t.deepEqual(find(topology, 's').streams.get('default')?.fields, ['x', 'y'])
})

test('an included file is looked for where the user is when it is not beside the file', async t => {
  const file = fluxFolder(t, {
    'flows/a.yaml': pair({ top: 'includes: [{file: conf/b.yaml}, {file: near.yaml}]' }),
    'flows/near.yaml': 'config: {near: here}\n',
    'near.yaml': 'config: {near: there}\n',
    'conf/b.yaml': 'config: {far: yes}\n',
  })
  const workingFolder = dirname(dirname(file))
  const { topology } = await loadFlux(file, { workingFolder })
  t.like(topology.config, { near: 'here', far: true })
  await t.throwsAsync(loadFlux(file), { code: 'FLUX_INVALID' }, 'without it, only beside the file')
  const outside = pair({ top: 'includes: [{file: ../near.yaml}]' })
  const elsewhere = { workingFolder: dirname(file) }
  await t.throwsAsync(loadFlux(fluxFolder(t, { 'a.yaml': outside }), elsewhere), {
    code: 'FLUX_INVALID',
  })
})
