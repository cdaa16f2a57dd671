// Our storm.py beside the one of Apache Storm: the same components, given the same input by the same host, must say the
// same. What may differ is whether ids are asked for, and that Storm's reports the end of input as an error.

import { join } from 'node:path'
import test from 'ava'
import { realTest } from '../../../real/parts.ts'
import { basicBolt, component, Host, heartbeat, type Said, tuple } from './host.ts'

interface Case {
  source: string
  input: unknown[]
}

const next = { command: 'next', id: '' }
const words = [tuple('-1', 'the cow jumped'), heartbeat, tuple('-2', 'ü 😀\n"x"')]

const cases: Record<string, Case> = {
  'a BasicBolt': {
    source: basicBolt(
      'for w in tup.values[0].split(" "): storm.emit([w, 1, 0.5, None, {"a": [w]}])',
    ),
    input: words,
  },
  'a Bolt that uses ids, streams and anchors': {
    source: component('Bolt', 'process(self, tup)', [
      'ids = storm.emit(tup.values, "s", [tup])',
      'storm.emit([len(ids), sum(ids), ids[0], list(ids)], anchors=[tup, tup])',
      'storm.emitDirect(ids[1], ["direct"], "d", [tup])',
      'storm.log("%s %r" % (ids, ids))',
      'storm.ack(tup)',
    ]),
    input: words,
  },
  'a BasicBolt that raises': {
    source: basicBolt('storm.emit([tup.values[5]])'),
    input: words,
  },
  'logs, metrics and errors': {
    source: basicBolt(
      'storm.logTrace("t"); storm.logDebug("d"); storm.logInfo("i"); storm.logWarn("w")',
      'storm.logError("e"); storm.log("x", 1); storm.reportError("bad"); storm.rpcMetrics("m", [1])',
      'storm.log(repr(tup))',
    ),
    input: words,
  },
  'a spout': {
    source: `${component('Spout', 'nextTuple(self)', ['storm.emit(["a"], id=0)', 'storm.emit(["b"], "s", {"k": 1})', 'storm.emit(["c"])', 'storm.emitDirect(9, ["d"], id="x")']).replace('\n\nC()', '\n    def fail(self, id):\n        storm.log(repr(id))\n\nC()')}`,
    input: [
      { command: 'activate', id: '' },
      next,
      { command: 'ack', id: 0 },
      { command: 'fail', id: [1] },
      next,
    ],
  },
}

/** Everything that a component says to this input; emits that ask for ids get three. */
async function transcript(source: string, input: unknown[], modules?: string): Promise<Said[]> {
  const host = new Host(source, modules === undefined ? {} : { modules })
  await host.shakeHands()
  host.send(...input)
  const said: Said[] = []
  let open = input.length
  while (open > 0) {
    const { need_task_ids: asked, ...rest } = await host.next()
    if (rest.command === 'emit' && asked !== false && rest.task === undefined) host.send([4, 5, 6])
    if (['sync', 'ack', 'fail'].includes(rest.command ?? '')) open--
    said.push(rest.command === 'error' ? { ...rest, msg: lastLine(rest.msg) } : rest)
  }
  await host.close()
  return said
}

// The frames of a traceback name our file and Storm's.
function lastLine(text = ''): string {
  return text.trim().split('\n').at(-1) ?? ''
}

for (const [name, { source, input }] of Object.entries(cases)) {
  realTest(test, ['multilang'], `${name} says the same on Storm's module`, async (t, [storm]) => {
    const [ours, theirs] = await Promise.all([
      transcript(source, input),
      transcript(source, input, storm.dir),
    ])
    t.true(ours.length > 3)
    t.deepEqual(ours, theirs)
  })
}

realTest(test, ['storm-starter'], 'the example of Storm runs unchanged', async (t, [starter]) => {
  const script = join(starter.dir, 'splitsentence.py')
  const source = `import runpy\nrunpy.run_path(${JSON.stringify(script)}, run_name="__main__")`
  const said = await transcript(source, [tuple('1', 'the cow')])
  t.deepEqual(
    said.map(m => m.tuple?.[0] ?? m.command),
    ['the', 'cow', 'ack'],
  )
})
