// Linear DRPC topologies with real Python processes in them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { LinearDRPCTopologyBuilder, shellBolt } from 'gearpump/storm'
import { withLocalDRPC } from 'gearpump/storm/testing'
import { CountAggregator, PartialUniquer } from '../../../../examples/drpc/reach.ts'
import { pythonReachBuilder } from '../../../../examples/drpc/reach-python.ts'

const EXAMPLE = fileURLToPath(new URL('../../../../examples/drpc/resources', import.meta.url))

test('reach with Python bolts gives what reach in TypeScript gives', async t => {
  const body = async (drpc: { execute(name: string, args: string): Promise<string> }) => {
    const urls = ['foo.com/blog/1', 'engineering.twitter.com/blog/5', 'notaurl.com']
    const calls = Array.from({ length: 60 }, (_, i) => drpc.execute('reach', urls[i % 3]!))
    const answers = await Promise.all(calls)
    t.deepEqual(
      answers.map((answer, i) => `${i % 3} ${answer}`).filter((v, i, all) => all.indexOf(v) === i),
      ['0 16', '1 14', '2 0'],
    )
  }
  await withLocalDRPC(pythonReachBuilder(), body, { resources: EXAMPLE })
})

test('a child that dies fails the requests that it was working on at once, and is started again', async t => {
  const resources = mkdtempSync(join(tmpdir(), 'gearpump-drpc-'))
  t.teardown(() => rmSync(resources, { recursive: true }))
  writeFileSync(
    join(resources, 'parts.py'),
    `import os, storm
class Parts(storm.BasicBolt):
    def process(self, tup):
        request, args = tup.values
        if args == "die":
            os._exit(3)
        for part in args.split():
            storm.emit([request, part])
Parts().run()
`,
  )
  const builder = new LinearDRPCTopologyBuilder('parts')
  builder.addBolt(shellBolt(['python3', 'parts.py'], ['id', 'part']))
  builder.addBolt(() => new PartialUniquer(), 2).fieldsGrouping(['id', 'part'])
  builder.addBolt(() => new CountAggregator(), 2).fieldsGrouping(['id'])
  await withLocalDRPC(
    builder,
    async drpc => {
      t.is(await drpc.execute('parts', 'a b a'), '2')
      const started = performance.now()
      await t.throwsAsync(drpc.execute('parts', 'die'), { code: 'DRPC_FAILED' })
      t.true(performance.now() - started < 10_000, 'long before the message time-out')
      // The child is started again; what comes meanwhile waits for it.
      for (let tries = 0; ; tries++) {
        const answer = await drpc.execute('parts', 'c').catch(() => undefined)
        if (answer === undefined && tries < 20) await delay(100)
        else {
          t.is(answer, '1')
          return
        }
      }
    },
    { resources },
  )
})
