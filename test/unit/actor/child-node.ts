// A node in a process of its own, for tests that stop or kill it. Tells the address of its actor in one line.
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import { realEnvironment } from '../../../src/base/environment.ts'
import { noLog } from '../../../src/base/log.ts'
import { SocketTransport } from '../../../src/transport/socket-transport.ts'

const system = new ActorSystem({
  environment: realEnvironment,
  log: noLog,
  name: 'child',
  transport: new SocketTransport({ kind: 'tcp' }),
})
await system.listen()
const { address } = system.spawn('adder', () => ({
  add: (a: number, b: number) => a + b,
  never: () => new Promise(() => undefined),
}))
process.stdout.write(`${JSON.stringify(address)}\n`)
