// Asks one certain master, without looking for who leads and without asking again: as a client does that believes an old
// leader.
import type { ActorRef } from '../../src/actor/actor.ts'
import { ActorSystem } from '../../src/actor/actor-system.ts'
import { realEnvironment } from '../../src/base/environment.ts'
import { noLog } from '../../src/base/log.ts'
import { masterAddress } from '../../src/cluster/master-address.ts'
import { GEAR, type GearDoor, type Submission } from '../../src/cluster/messages.ts'
import { SocketTransport } from '../../src/transport/socket-transport.ts'

export interface OneMaster {
  readonly door: ActorRef<GearDoor>
  close(): Promise<void>
}

export function oneMaster(address: string): OneMaster {
  const system = new ActorSystem({
    environment: realEnvironment,
    log: noLog,
    name: 'test',
    transport: new SocketTransport({ kind: 'tcp' }),
    credentials: {},
  })
  const door = system.ref<GearDoor>({ node: masterAddress(address), name: GEAR })
  return { door, close: () => system.close() }
}

/** An application that is never started: it is only seen whether it is accepted. */
export function submission(name: string): Submission {
  return {
    name,
    requestId: name,
    bundle: undefined,
    code: { module: 'none', export: 'none', input: undefined },
    placement: { executors: 1, each: { cpu: 0, memoryMb: 64 } },
    active: true,
  }
}
