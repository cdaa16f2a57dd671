// A topology may end while a component of it is being opened, later than the others: nobody else knows of it, so it is closed
// as soon as it is open. A child process would live on otherwise.
import test from 'ava'
import { connect } from 'gearpump'
import type { Bolt, Spout, SpoutOutputCollector } from '../../../../storm-compat/component/api.ts'
import { TopologyBuilder } from '../../../../storm-compat/topology/builder.ts'
import { translate } from '../../../../storm-compat/translate/translate.ts'
import { until } from '../../../e2e/until.ts'

/** Its calls, in order; what is named in `gates` waits until it is let go. */
class Diary {
  readonly lines: string[] = []
  readonly gates = new Map<string, () => void>()

  write(line: string): void {
    this.lines.push(line)
  }

  /** Waits at a line that others look for. */
  stop(line: string): Promise<void> {
    this.write(line)
    return new Promise(resolve => this.gates.set(line, resolve))
  }

  async letGo(line: string): Promise<void> {
    await until(line, () => this.gates.has(line))
    this.gates.get(line)!()
  }
}

/** What keeps a component where it is. */
type Waits = 'open' | 'prepare' | 'cleanup'

const declare = (declarer: { declare(fields: string[]): void }) => declarer.declare(['n'])

function spoutOf(diary: Diary, openWaits: boolean): Spout {
  let collector: SpoutOutputCollector
  let next = 0
  return {
    open(_conf, _context, given) {
      collector = given
      return openWaits ? diary.stop('open') : undefined
    },
    nextTuple: () => void collector.emit([next], next++),
    activate: () => diary.write('activate'),
    deactivate: () => diary.write('deactivate'),
    close: () => diary.write('close'),
    declareOutputFields: declare,
  }
}

/** The first one that is prepared throws; the second one waits in `prepare`. */
function boltOf(diary: Diary, prepared: { count: number }, waits: Waits): Bolt {
  let number = 0
  return {
    prepare() {
      number = ++prepared.count
      if (number > 1) return diary.stop(`prepare ${number}`)
      return undefined
    },
    execute() {
      throw new Error('simulated')
    },
    cleanup: () =>
      waits === 'cleanup' ? diary.stop('cleanup 1') : diary.write(`cleanup ${number}`),
    declareOutputFields: () => undefined,
  }
}

async function running(diary: Diary, waits: Waits) {
  const spoutWaits = waits === 'open'
  const builder = new TopologyBuilder()
  const prepared = { count: 0 }
  builder.setSpout('numbers', () => spoutOf(diary, spoutWaits))
  builder.setBolt('sink', () => boltOf(diary, prepared, waits)).shuffleGrouping('numbers')
  const topology = builder.createTopology('closed-meanwhile', {})
  const { application } = translate(topology, { resources: '.', pidDir: '.', startedMs: 0 })
  const gear = await connect()
  const app = await gear.submit(application, { active: !spoutWaits })
  if (spoutWaits) await app.setActive(true)
  return gear
}

test('a spout that is opened by an activation is closed when it is open, and never activated', async t => {
  const diary = new Diary()
  const gear = await running(diary, 'open')
  await until('it is being opened', () => diary.gates.has('open'))
  await gear.close()
  await diary.letGo('open')
  await until('it is closed', () => diary.lines.includes('close'))
  t.deepEqual(
    diary.lines.filter(line => !line.startsWith('cleanup')),
    ['open', 'close'],
  )
})

test('a bolt that is started anew after it has thrown is cleaned up when it is prepared', async t => {
  const diary = new Diary()
  const gear = await running(diary, 'prepare')
  await until('the second is being prepared', () => diary.gates.has('prepare 2'))
  await gear.close()
  t.false(diary.lines.includes('cleanup 2'), 'not in the middle of its prepare')
  await diary.letGo('prepare 2')
  await until('it is cleaned up', () => diary.lines.includes('cleanup 2'))
  t.deepEqual(
    diary.lines.filter(line => /prepare|cleanup/.test(line)),
    ['cleanup 1', 'prepare 2', 'cleanup 2'],
  )
})

test('a bolt whose predecessor is still being cleaned up is not even made', async t => {
  const diary = new Diary()
  const gear = await running(diary, 'cleanup')
  await until('the first is being cleaned up', () => diary.gates.has('cleanup 1'))
  await gear.close()
  await diary.letGo('cleanup 1')
  // All that follows from a promise has happened by then.
  await new Promise(resolve => setImmediate(resolve))
  t.deepEqual(
    diary.lines.filter(line => line.startsWith('prepare')),
    [],
  )
})
