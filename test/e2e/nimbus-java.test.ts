// An unmodified Java client of Nimbus: Storm's own storm-client, StormSubmitter and NimbusClient.
import { join } from 'node:path'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { counted, expectedWords, runNimbus } from './nimbus/nimbus-run.ts'

realTest(
  test,
  ['multilang', 'storm-client'],
  'StormSubmitter submits shell components, NimbusClient looks, changes and kills; Java is refused by its class',
  async (t, [multilang, client]) => {
    const run = await runNimbus(t, join(multilang.dir, 'storm.py'))
    const classpath = `${join(client.dir, 'lib')}/*:${join(client.dir, 'classes')}`
    const args = [
      '-Xmx256m',
      '-cp',
      classpath,
      'NimbusTour',
      String(run.port),
      run.jar,
      run.collected,
    ]
    const output = await run.client(client.program!, args)
    const found = Object.fromEntries(
      output
        .trim()
        .split('\n')
        .map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
    )
    t.like(found, {
      submitted: 'ACTIVE 5',
      acked: '200',
      executors: '5',
      own: '[collect, split]',
      deactivated: 'INACTIVE',
      rebalanced: '4',
      dead: 'tour is not alive',
    })
    t.regex(found.version!, /^2\.8\./)
    t.regex(found.refused!, /there is no event logger/)
    // The bolt is wrapped; its own class is told by whoever reads the object.
    t.regex(
      found.java!,
      /InvalidTopologyException.*component java: is the Java class org\.apache\.storm\.topology\.BasicBoltExecutor/,
    )
    t.deepEqual(counted(run.words()), expectedWords(200))
  },
)
