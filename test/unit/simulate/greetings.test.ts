// Found by simulated worlds: how two executors come together when one of them dies, or is cut off, at that moment.
import test from 'ava'
import { application } from '../../../src/app/application.ts'
import { ExecutorHost } from '../../../src/app/executor-host.ts'
import { makePlan } from '../../../src/app/plan.ts'
import { graph } from '../../../src/dag/graph.ts'
import { processor, source } from '../../../src/dag/processor.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'
import { FaultyNetwork } from '../../../src/transport/faulty-transport.ts'
import { encodeHello, PROTOCOL_VERSION } from '../../../src/transport/frame.ts'
import type { Address } from '../../../src/transport/link.ts'

const TOKEN = 'secret'
const ignore = () => undefined
const events = {
  error: ignore,
  log: ignore,
  metric: ignore,
  clock: ignore,
  overflow: ignore,
  positions: ignore,
}

function machine() {
  const environment = new ManualEnvironment()
  const network = new FaultyNetwork({ random: () => environment.random(), time: environment })
  const app = application(
    'greetings',
    graph(
      source('none', () => ({ next: () => false })).to(
        processor('sink', () => ({ onNext: ignore })),
      ),
    ),
  )
  const host = (executorId: number) =>
    new ExecutorHost({
      environment,
      application: app,
      executorId,
      transport: network.transport(`e${executorId}`),
      token: TOKEN,
      events,
    })
  return { environment, network, plan: makePlan(app.dag, [1, 2]), host }
}

const at = (executorId: number): readonly [number, Address] => [
  executorId,
  { kind: 'memory', name: `e${executorId}` },
]

test('a late greeting of an executor that was replaced makes no peer of it again', async t => {
  const { environment, network, plan, host } = machine()
  const one = host(1)
  await one.prepare()
  await one.start({ plan, addresses: [] })
  await one.replacePeer(2, 3)
  let closed = false
  const hello = { executor: 2, version: PROTOCOL_VERSION, application: 'greetings', token: TOKEN }
  const link = await environment.awaiting(
    network.transport('e2').connect(at(1)[1], () => ({
      onFrame: ignore,
      onClose: () => {
        closed = true
      },
      onDrain: ignore,
    })),
  )
  link.send(encodeHello(hello))
  await environment.advance(100)
  t.true(closed)
  t.deepEqual(
    one.executor?.peers.outboxes.map(outbox => outbox.executorId),
    [3],
  )
})

test('a greeting that is lost is not waited for without end', async t => {
  const { environment, network, plan, host } = machine()
  const one = host(1)
  const two = host(2)
  await one.prepare()
  await two.prepare()
  await one.start({ plan, addresses: [] })
  await two.start({ plan, addresses: [at(1)] })
  network.faults.delayMsMin = 5
  network.faults.delayMsMax = 5
  await environment.advance(1)
  network.cut('e1', 'e2', 'lose')
  await environment.advance(100)
  network.heal('e1', 'e2')
  t.deepEqual(two.executor?.peers.connectedIds, [])
  await environment.advance(10_000)
  t.deepEqual(two.executor?.peers.connectedIds, [1])
  t.deepEqual(one.executor?.peers.connectedIds, [2])
})
