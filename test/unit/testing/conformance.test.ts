// The conformance kit on a source and a sink made for it, each of which can be broken in one way: what it accepts, and what it finds.
import test from 'ava'
import { type Hold, UserError } from 'gearpump'
import type { Source, SourceContext, Task, TaskContext } from 'gearpump/spi'
import { type SourceConformance, sinkFindings, sourceFindings } from './doors.ts'

const OPEN_MAX = 5

type SourceFault =
  | 'none'
  | 'loses'
  | 'doubles'
  | 'sleeps'
  | 'talks on'
  | 'untracked'
  | 'old position'
  | 'no JSON'

/** Reads rows; its position is one number: all rows before it are done. */
class Rows implements Source<string> {
  readonly #rows: readonly string[]
  readonly #fault: SourceFault
  readonly #open = new Set<number>()
  readonly #ahead = new Set<number>()
  readonly #again: number[] = []
  #context: SourceContext<string> | undefined
  #next = 0
  #through = 0

  constructor(rows: readonly string[], fault: SourceFault) {
    this.#rows = rows
    this.#fault = fault
  }

  open = async (context: SourceContext<string>): Promise<void> => {
    this.#context = context
    this.#through = this.#next = Number(context.position ?? 0)
    // As one that connects to something.
    await new Promise<void>(resolve => setImmediate(resolve))
    if (this.#fault === 'talks on') context.schedule(5, () => context.wake())
  }

  next = (out: SourceContext<string>): boolean | 'end' => {
    const again = this.#again.pop()
    if (again !== undefined) {
      this.#emit(out, again)
      return true
    }
    if (this.#open.size >= OPEN_MAX) return false
    if (this.#next === this.#rows.length) return this.#open.size === 0 ? 'end' : false
    if (this.#fault === 'loses' && this.#next === 7) this.#next++
    this.#emit(out, this.#next++)
    return this.#fault !== 'sleeps'
  }

  #emit(out: SourceContext<string>, row: number): void {
    this.#open.add(row)
    out.output(this.#rows[row]!, this.#fault === 'untracked' ? undefined : row)
    if (this.#fault === 'untracked') this.done(row)
    if (this.#fault === 'doubles' && row === 7) out.output(this.#rows[row]!, 1000)
  }

  done = (id: unknown): void => {
    if (id === 1000) return
    this.#open.delete(id as number)
    this.#ahead.add(id as number)
    while (this.#ahead.delete(this.#through)) this.#through++
    this.#context!.wake()
  }

  fail = (id: unknown): void => {
    if (id !== 1000) this.#again.push(id as number)
  }

  position = (): unknown => {
    if (this.#fault === 'no JSON') return 10n
    return this.#fault === 'old position' ? Math.max(0, this.#through - 3) : this.#through
  }
}

function rowsKit(fault: SourceFault = 'none'): SourceConformance {
  return {
    world: () => {
      let rows: string[] = []
      let settled = 0
      return {
        create: () => new Rows(rows, fault),
        populate: count => {
          rows = Array.from({ length: count }, (_, i) => `row ${i}`)
          return rows
        },
        settle: async () => void settled++,
        close: () => {
          if (settled === 0) throw new Error('was given no time')
        },
      }
    },
    openMax: OPEN_MAX,
    ends: true,
  }
}

test('a source whose position is one offset passes, as one that may bring again what lies above it', async t => {
  t.deepEqual(await sourceFindings(rowsKit()), [])
  const exact = await sourceFindings({ ...rowsKit(), replays: 'exact' })
  t.regex(exact.join('\n'), /after a crash with one slow message: messages came that should not/)
})

const SOURCE_FINDINGS: Record<Exclude<SourceFault, 'none' | 'sleeps' | 'talks on'>, RegExp> = {
  loses: /without failures: 1 messages never came, such as row 7/,
  doubles: /more often than once without reason, such as row 7/,
  untracked: /messages without an id: row 0 cannot be replayed/,
  'old position': /opened where all was done: messages came that should not/,
  'no JSON': /it threw: .*BigInt/,
}

for (const [fault, finding] of Object.entries(SOURCE_FINDINGS)) {
  test(`a source that is broken (${fault}) is found out`, async t => {
    t.regex((await sourceFindings(rowsKit(fault as SourceFault))).join('\n'), finding)
  })
}

for (const fault of ['sleeps', 'talks on'] as const) {
  test(`a source that ${fault} is slow or loud, but right`, async t => {
    t.deepEqual(await sourceFindings(rowsKit(fault)), [])
  })
}

test('a declaration that is refused with a list of mistakes is right', async t => {
  const refuses = () => {
    throw new UserError('BAD_INPUT', 'rows', [{ place: 'table', message: 'is missing' }])
  }
  t.deepEqual(await sourceFindings({ ...rowsKit(), misconfigured: [refuses] }), [])
})

type SinkFault = 'none' | 'reverses' | 'forgets' | 'overwrites' | 'waits for ever'

/** Writes to a table that keeps what was committed. */
class ToTable implements Task<string, never> {
  readonly #table: string[]
  readonly #fault: SinkFault
  #batch: { text: string; hold: Hold }[] = []

  constructor(table: string[], fault: SinkFault) {
    this.#table = table
    this.#fault = fault
    if (fault === 'overwrites') table.length = 0
  }

  onNext = (text: string, context: TaskContext<never>): void => {
    this.#batch.push({ text, hold: context.hold() })
    if (this.#batch.length === 1) context.scheduleOnce(2, () => this.#commit())
  }

  onStop = (): Promise<void> | void =>
    this.#fault === 'waits for ever' ? new Promise(() => undefined) : this.#commit()

  #commit(): void {
    const batch = this.#batch.splice(0)
    if (this.#fault === 'reverses') batch.reverse()
    for (const { text, hold } of batch) {
      if (this.#fault !== 'forgets' || !text.endsWith('3')) this.#table.push(text)
      hold.release()
    }
  }
}

const tableFindings = (fault: SinkFault) =>
  sinkFindings({
    world: () => {
      const table: string[] = []
      return {
        create: () => new ToTable(table, fault) as unknown as Task<never, never>,
        readBack: () => [...table],
        crash: () => undefined,
      }
    },
  })

test('a sink that commits before it lets go passes, without hooks for steps and for a full disk', async t => {
  t.deepEqual(await tableFindings('none'), [])
})

const SINK_FINDINGS: Record<Exclude<SinkFault, 'none'>, RegExp> = {
  reverses: /the messages of one source task are not in their order/,
  forgets: /first 3 was let go and is not there/,
  overwrites: /first 0 was let go and is not there/,
  'waits for ever': /onStop did not come to an end/,
}

for (const [fault, finding] of Object.entries(SINK_FINDINGS)) {
  test(`a sink that is broken (${fault}) is found out`, async t => {
    t.regex((await tableFindings(fault as SinkFault)).join('\n'), finding)
  })
}
