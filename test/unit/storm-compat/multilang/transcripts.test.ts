// Transcripts of unmodified Storm components and of a real Storm, replayed: we take Storm's part, a fake child says what
// the component said, and what we send is compared with what Storm sent. Ids are ours and are mapped; all else must be
// equal, number for number as they were written.
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { parseJson, writeJson } from '../../../../storm-compat/multilang/json.ts'
import { boltRig, settle, spoutRig, tupleOf } from './support.ts'

type Message = Record<string, unknown>
type Step =
  | { from: 'storm'; text: string }
  | { from: 'component'; chunk: string; texts: string[] }
  | { from: 'exit'; code: number }

const FOLDER = new URL('../../../fixtures/transcripts/', import.meta.url)

/** Both notations: `STORM>`/`COMP >` with one message a line, and `>>`/`<<` with the bytes of one chunk each. */
function stepsOf(name: string): Step[] {
  const text = readFileSync(new URL(name, FOLDER), 'utf8')
  return text.includes('STORM> ') ? messageSteps(text) : chunkSteps(text)
}

function messageSteps(text: string): Step[] {
  const steps: Step[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('STORM> ')) steps.push({ from: 'storm', text: line.slice(7) })
    else if (line.startsWith('COMP > ')) {
      steps.push({ from: 'component', chunk: `${line.slice(7)}\nend\n`, texts: [line.slice(7)] })
    } else if (line.startsWith('  (EOF) rc=')) {
      steps.push({ from: 'exit', code: Number(line[11]) })
      return steps
    }
  }
  return steps
}

function chunkSteps(text: string): Step[] {
  const steps: Step[] = []
  for (const block of text.split(/\n(?=>> |<< )/)) {
    const lines = block
      .slice(3)
      .split('\n')
      .filter(line => line !== '' && line !== '...(cut)')
    if (block.startsWith('>> ')) {
      for (const line of lines) if (line !== 'end') steps.push({ from: 'storm', text: line })
    } else if (block.startsWith('<< ')) {
      const texts = lines.filter(line => line !== 'end')
      steps.push({ from: 'component', chunk: `${lines.join('\n')}\n`, texts })
    }
  }
  const last = steps.at(-1)
  // The end of the file is cut anywhere.
  if (last?.from === 'storm' && !isJson(last.text)) steps.pop()
  return steps
}

function isJson(text: string): boolean {
  try {
    parseJson(text)
    return true
  } catch {
    return false
  }
}

/** A value with its keys sorted, floats and big integers as they are written. */
function canonical(value: unknown): string {
  return writeJson(sorted(value))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (
    typeof value !== 'object' ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  )
    return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  )
}

/** The task ids with which Storm answers the next emit. */
function upcomingIds(steps: readonly Step[], from: number): number[] {
  for (const step of steps.slice(from)) {
    if (step.from === 'storm' && step.text.startsWith('[')) return parseJson(step.text) as number[]
  }
  return []
}

class Comparison {
  private readonly t: ExecutionContext
  private readonly child: { received: readonly unknown[]; writes: readonly (string | Buffer)[] }
  private readonly ids = new Map<string, string>()
  /** How many of our messages were compared: task ids, and others. Between the two kinds the order is a race. */
  private readonly at = { ids: 0, other: 0 }

  constructor(t: ExecutionContext, child: Comparison['child']) {
    this.t = t
    this.child = child
  }

  /** Our next message must be this one of Storm's, but for its id and the pid directory. */
  expect(text: string): void {
    const storm = parseJson(text) as Message
    const kind = Array.isArray(storm) ? 'ids' : 'other'
    const ours = this.child.received.filter(
      message => Array.isArray(message) === Array.isArray(storm),
    )[this.at[kind]] as Message | undefined
    this.at[kind]++
    if (ours === undefined) {
      this.t.fail(`nothing was sent where Storm sent ${text}`)
      return
    }
    if ('comp' in storm) this.ids.set(storm.id as string, ours.id as string)
    const own =
      'comp' in storm
        ? { ...ours, id: storm.id }
        : 'pidDir' in storm
          ? { ...ours, pidDir: storm.pidDir }
          : ours
    this.t.is(canonical(own), canonical(storm))
  }

  /** What the component said, with Storm's ids replaced by ours. */
  mapped(chunk: string): string {
    return [...this.ids].reduce(
      (text, [storm, ours]) => text.replaceAll(`"${storm}"`, `"${ours}"`),
      chunk,
    )
  }

  end(): void {
    this.t.is(this.child.received.length, this.at.ids + this.at.other, 'nothing more was sent')
    for (const write of this.child.writes) {
      this.t.regex(write as string, /^([^\n\r]+\nend\n)+$/, 'each message is one line, then `end`')
    }
  }
}

for (const name of [
  'splitsentence.py.txt',
  'splitsentence.rb.txt',
  'splitsentence.js.txt',
  'gostorm-splitsentence.txt',
  'pystorm-json-bolt.txt',
  'real-storm-2.8.1-bolt.txt',
]) {
  test(`bolt ${name}: we send what Storm sent, and take all that the component said`, async t => {
    const steps = stepsOf(name)
    const { conf, context } = parseJson((steps[0] as { text: string }).text) as Record<
      string,
      Message
    >
    const rig = await boltRig({ conf: conf!, context: context!, script: () => undefined })
    const { child } = rig.shell
    const comparison = new Comparison(t, child)
    let emitted = 0
    for (const [i, step] of steps.entries()) {
      if (step.from === 'exit') child.exit(step.code)
      else if (step.from === 'component') {
        rig.collector.ids = upcomingIds(steps, i)
        child.sendRaw(comparison.mapped(step.chunk))
        emitted += step.texts.filter(text => /"command": ?"emit"/.test(text)).length
        t.is(
          rig.collector.emits.length,
          step.chunk.endsWith('end\n') ? emitted : rig.collector.emits.length,
        )
      } else {
        const message = parseJson(step.text) as Message
        if (message.stream === '__heartbeat') rig.clock.advance(1_000)
        else if ('tuple' in message) {
          void rig.bolt.execute(
            tupleOf(message.tuple as unknown[], {
              sourceComponent: message.comp as string,
              sourceStream: message.stream as string,
              sourceTask: message.task as number,
            }),
          )
        }
        await settle()
        comparison.expect(step.text)
      }
    }
    comparison.end()
    const exit = steps.find(step => step.from === 'exit')
    const died = rig.collector.errors.filter(error => /exited with code/.test(error.message))
    t.is(died.length, exit === undefined ? 0 : 1)
    const finished = steps
      .flatMap(step => (step.from === 'component' ? step.texts : []))
      .filter(text => /"command": ?"(ack|fail)"/.test(text)).length
    const held = exit === undefined ? 0 : 1
    t.true(rig.collector.acked.length + rig.collector.failed.length >= finished + held)
  })
}

test('P2: a real Storm sent these numbers, and a real component gave them back: the bytes are the same here', async t => {
  const steps = stepsOf('real-storm-2.8.1-bolt.txt')
  const sent = steps.find(step => step.from === 'storm' && step.text.includes('"tuple":["the cow'))
  const text = (sent as { text: string }).text
  const tuple = /"tuple":\[.*?\],"task"/.exec(text)![0].replace(/,"task"$/, '')
  const rig = await boltRig()
  void rig.bolt.execute(tupleOf((parseJson(text) as Message).tuple as unknown[]))
  await settle()
  t.true((rig.shell.child.writes[1] as string).includes(tuple))
  const back = steps.find(step => step.from === 'component' && step.chunk.includes('"emit"'))
  rig.shell.child.sendRaw(
    `${(back as { texts: string[] }).texts[0]!.replace(/"anchors": \[[^\]]*\], /, '')}\nend\n`,
  )
  t.is(`"tuple":${writeJson(rig.collector.emits[0]!.values)}`, tuple)
})

for (const name of [
  'randomsentence.js.txt',
  'tester_spout.py.txt',
  'tester_spout.rb.txt',
  'tester_spout.js.txt',
  'real-storm-2.8.1-spout.txt',
]) {
  test(`spout ${name}: turn by turn as Storm did, ids echoed as they came`, async t => {
    const steps = stepsOf(name)
    const { conf, context } = parseJson((steps[0] as { text: string }).text) as Record<
      string,
      Message
    >
    const rig = await spoutRig({ conf: conf!, context: context!, script: () => undefined })
    const { child } = rig.shell
    const comparison = new Comparison(t, child)
    const turns: Promise<void>[] = []
    for (const [i, step] of steps.entries()) {
      if (step.from === 'exit') child.exit(step.code)
      else if (step.from === 'component') {
        rig.collector.ids = upcomingIds(steps, i)
        child.sendRaw(step.chunk)
        await settle()
      } else {
        const message = parseJson(step.text) as Message
        if (message.command === 'next') turns.push(rig.spout.nextTuple())
        else if (message.command === 'ack') turns.push(rig.spout.ack(message.id))
        else if (message.command === 'fail') turns.push(rig.spout.fail(message.id))
        else if (message.command === 'activate') turns.push(rig.spout.activate())
        else if (message.command === 'deactivate') turns.push(rig.spout.deactivate())
        await settle()
        comparison.expect(step.text)
      }
    }
    comparison.end()
    const emits = steps
      .flatMap(step => (step.from === 'component' ? step.texts : []))
      .filter(text => /"command": ?"emit"/.test(text))
      .map(text => parseJson(text) as Message)
    t.is(
      canonical(rig.collector.emits.map(e => [e.id, e.values])),
      canonical(emits.map(e => [e.id, e.tuple])),
    )
    if (steps.at(-1)?.from === 'component') await Promise.all(turns)
    else t.pass('the transcript ends within a turn')
  })
}

test('P21: where a real Storm with 0 ackers deadlocked, the ids are answered first and the ack follows the sync', async t => {
  const steps = stepsOf('real-storm-2.8.1-ackers0-deadlock.txt')
  const { conf, context } = parseJson((steps[0] as { text: string }).text) as Record<
    string,
    Message
  >
  const { spout, shell, collector } = await spoutRig({ conf: conf!, context: context! })
  collector.ids = [1]
  const next = spout.nextTuple()
  await settle()
  const emit = steps
    .flatMap(step => (step.from === 'component' ? step.texts : []))
    .find(text => text.includes('emit'))!
  shell.child.sendRaw(`${emit}\nend\n`)
  // The engine tells the ack of a tree without acker at once; it must not get into the turn.
  const ack = spout.ack(collector.emits[0]!.id)
  await settle()
  t.deepEqual(shell.child.received.slice(1), [{ command: 'next', id: '' }, [1]])
  shell.child.send({ command: 'sync' })
  await next
  await settle()
  t.deepEqual(shell.child.received.at(-1), { command: 'ack', id: 1 })
  shell.child.send({ command: 'sync' })
  await ack
})
