// The conformance kit for sinks: lets a sink die at each step of its work, fills its disk, ends it in the middle, and looks at what
// can be read back. What it returns are plain sentences. The rule behind all of them: an input that was let go is there
// for good, once it was let go; and what is there more than once was not let go the first time.
import type { Task } from '../task/task.ts'
import { findingsOf, type Tell } from './conformance-findings.ts'
import { ManualEnvironment } from './manual-environment.ts'
import { TaskTest, type TestInput } from './test-task.ts'

/** Where a sink under test writes to. A new one for each scenario. */
export interface SinkWorld {
  /** A new task of the sink. After a crash another one is made in the same world. */
  create(): Task<never, never>
  /** What can be read by others now, in the order in which it was written, one text for each message. */
  readBack(): readonly string[] | Promise<readonly string[]>
  /** The process of the task made last is gone, and what was not safe with it. */
  crash(): void | Promise<void>
  /** After so many more steps of input and output none has an effect, or an end, until `crash`. */
  dieAfter?(steps: number): void
  /** No room for anything more (true), or room again. */
  setFull?(full: boolean): void
  handles?(): number
  /** Real time for real output. */
  settle?(): Promise<void>
  close?(): void | Promise<void>
}

export interface SinkConformance {
  readonly world: () => SinkWorld | Promise<SinkWorld>
  /** The message that will be read back as `text`; the text itself if not given. */
  readonly messageOf?: (text: string) => unknown
  /** Inputs that it may keep while it can write nothing; not looked at if not given. Each of them is 100 characters long. */
  readonly keptMax?: number
  /** Declarations that are wrong: each must throw a UserError at once. */
  readonly misconfigured?: readonly (() => unknown)[]
}

/** Steps of input and output at which a crash is tried; ends earlier when a run needs fewer. */
const CRASH_STEPS_MAX = 200
const LOOK_MS = 20
/** Virtual time that is enough for any sink to be done, or to have given up for now. */
const LOOKS = 1000
/** Inputs of a run. */
const SOME = 12

/**
 * Runs a sink through the kit. What it returns is empty when the sink conforms; else each sentence says what it broke.
 *
 * @example
 * t.deepEqual(await sinkFindings({ world: () => new TableWorld() }), [])
 */
export function sinkFindings(kit: SinkConformance): Promise<string[]> {
  return findingsOf(kit, [everythingOnce, orderPerSource, crashes, fullDisk, shutdown])
}

interface Pushed {
  readonly text: string
  readonly input: TestInput
}

/** One life of a sink task, from start to crash or end. */
class Life {
  readonly test: TaskTest<never>
  readonly pushed: Pushed[] = []
  readonly #kit: SinkConformance
  readonly #world: SinkWorld

  private constructor(kit: SinkConformance, world: SinkWorld) {
    this.#kit = kit
    this.#world = world
    const environment = new ManualEnvironment()
    this.test = new TaskTest(world.create(), { environment, profile: { timeoutMs: 0 } })
  }

  /** Undefined: it died before it had started. */
  static async start(kit: SinkConformance, world: SinkWorld): Promise<Life | undefined> {
    const life = new Life(kit, world)
    let open = true
    const started = life.test.start().finally(() => {
      open = false
    })
    started.catch(() => undefined)
    await life.look(() => !open)
    if (open) return undefined
    await started
    return life
  }

  push(text: string, sourceTask = 1): void {
    const { messageOf } = this.#kit
    const message = messageOf === undefined ? text : messageOf(text)
    this.pushed.push({ text, input: this.test.push(message as never, { sourceTask }) })
  }

  /** Lets time pass until `enough`, or for long. */
  async look(enough: () => boolean): Promise<void> {
    for (let looks = 0; looks < LOOKS && !enough(); looks++) {
      await this.test.advance(LOOK_MS)
      await this.#world.settle?.()
    }
  }

  allEnded(): Promise<void> {
    return this.look(() => this.open.length === 0)
  }

  get open(): Pushed[] {
    return this.pushed.filter(({ input }) => !isReleased(input) && input.state !== 'failed')
  }

  /** Texts of the inputs that were let go as done. */
  get released(): string[] {
    return this.pushed.filter(({ input }) => isReleased(input)).map(({ text }) => text)
  }

  get unreleased(): string[] {
    return this.pushed.filter(({ input }) => !isReleased(input)).map(({ text }) => text)
  }

  async stop(): Promise<void> {
    let open = true
    const stopped = this.test.stop().finally(() => {
      open = false
    })
    stopped.catch(() => undefined)
    await this.look(() => !open)
    if (open) throw new Error('onStop did not come to an end')
    await stopped
  }
}

const isReleased = (input: TestInput) => input.state === 'released'

async function inWorld<T>(kit: SinkConformance, fn: (world: SinkWorld) => Promise<T>): Promise<T> {
  const world = await kit.world()
  try {
    return await fn(world)
  } finally {
    await world.close?.()
  }
}

async function startedIn(kit: SinkConformance, world: SinkWorld): Promise<Life> {
  const life = await Life.start(kit, world)
  if (life === undefined) throw new Error('onStart did not come to an end')
  return life
}

const texts = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`)

function missingOf(expected: readonly string[], there: readonly string[]): string[] {
  const known = new Set(there)
  return expected.filter(text => !known.has(text))
}

function countsOf(there: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of there) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}

// ---- scenarios

async function everythingOnce(kit: SinkConformance, tell: Tell): Promise<void> {
  await inWorld(kit, async world => {
    // A second task in the same place must not take away what the first one wrote.
    const all: string[] = []
    for (const name of ['first', 'second']) {
      const life = await startedIn(kit, world)
      for (const text of texts(name, SOME)) life.push(text)
      await life.allEnded()
      all.push(...texts(name, SOME))
      if (life.released.length < SOME) tell('without failures, inputs are not let go in time')
      if (life.test.errors.length > 0)
        tell(`without failures, it reported: ${life.test.errors[0]!.message}`)
      await life.stop()
    }
    const there = await world.readBack()
    const missing = missingOf(all, there)
    if (missing.length > 0) tell(`without failures, ${missing[0]} was let go and is not there`)
    if (there.length > all.length) tell('without failures, more is there than was pushed')
    else if (missing.length === 0 && there.some((text, i) => text !== all[i]))
      tell('without failures, the order is not that of the inputs')
  })
}

async function orderPerSource(kit: SinkConformance, tell: Tell): Promise<void> {
  await inWorld(kit, async world => {
    const life = await startedIn(kit, world)
    for (let i = 0; i < SOME * 4; i++) {
      for (const source of [1, 2, 3]) life.push(`source ${source} ${i}`, source)
      if (i % 5 === 0) await life.test.advance(1 + (i % 7))
    }
    await life.allEnded()
    await life.stop()
    const there = await world.readBack()
    for (const source of [1, 2, 3]) {
      const own = there.filter(text => text.startsWith(`source ${source} `))
      if (own.some((text, i) => text !== `source ${source} ${i}`))
        tell(`the messages of one source task are not in their order, such as ${own[0]}`)
    }
  })
}

async function crashes(kit: SinkConformance, tell: Tell): Promise<void> {
  for (let step = 0; step < CRASH_STEPS_MAX; step++) {
    if (await inWorld(kit, world => crashAt(kit, world, step, tell))) return
  }
}

// True: the run came to its end before so many steps.
async function crashAt(
  kit: SinkConformance,
  world: SinkWorld,
  step: number,
  tell: Tell,
): Promise<boolean> {
  world.dieAfter?.(step)
  const first = await Life.start(kit, world)
  const released: string[] = []
  let whole = first !== undefined
  if (first !== undefined) {
    for (const [i, text] of texts('line', SOME).entries()) {
      first.push(text)
      // Without a hook for steps the crash comes after so many inputs.
      if (world.dieAfter === undefined && i === step) break
      if (i % 4 === 3)
        await first.look(
          () => first.open.length === 0 || first.test.environment.now() > (i + 1) * 100,
        )
    }
    if (world.dieAfter !== undefined || step > SOME)
      await first.look(() => first.open.length === 0 || first.test.environment.now() > 5000)
    released.push(...first.released)
    whole = first.open.length === 0 && (world.dieAfter !== undefined || step > SOME)
  }
  await world.crash()
  const left = await world.readBack()
  const missing = missingOf(released, left)
  if (missing.length > 0)
    tell(
      `${missing[0]} was let go before a crash and is not there after it: the input is let go too early`,
    )
  const next = await startedIn(kit, world)
  // What was not let go comes again, and more.
  const again = [...(first?.unreleased ?? texts('line', SOME)), ...texts('new', 2)]
  for (const text of again) next.push(text)
  await next.allEnded()
  if (next.open.length > 0) tell('after a crash, a new task does not let its inputs go')
  await next.stop()
  judge(await world.readBack(), { released, again }, tell)
  return whole
}

function judge(
  there: readonly string[],
  { released, again }: { released: readonly string[]; again: readonly string[] },
  tell: Tell,
): void {
  const expected = new Set([...texts('line', SOME), ...again])
  const foreign = there.find(text => !expected.has(text))
  if (foreign !== undefined)
    tell(`after a crash there is something that nobody pushed: ${JSON.stringify(foreign)}`)
  const missing = missingOf([...released, ...again], there)
  if (missing.length > 0)
    tell(`after a crash and a new task, ${missing[0]} was let go and is not there`)
  const replayed = new Set(again)
  for (const [text, count] of countsOf(there)) {
    if (count > (replayed.has(text) ? 2 : 1))
      tell(`after a crash, ${text} is there ${count} times: more often than replays explain`)
  }
}

async function fullDisk(kit: SinkConformance, tell: Tell): Promise<void> {
  await inWorld(kit, async world => {
    if (world.setFull === undefined) return
    const life = await startedIn(kit, world)
    for (const text of texts('before', SOME)) life.push(text)
    await life.allEnded()
    world.setFull(true)
    for (const text of texts('full', SOME)) life.push(text)
    await life.look(() => life.test.errors.length > 0)
    if (life.test.errors.length === 0) tell('it does not tell that it cannot write')
    const early = missingOf(life.released, await world.readBack())
    if (early.length > 0) tell(`${early[0]} was let go while nothing could be written`)
    const { keptMax } = kit
    if (keptMax !== undefined) {
      for (const text of texts('many', keptMax * 2)) life.push(text.padEnd(100, '.'))
      await life.test.advance(LOOK_MS * 10)
      const kept = life.open.filter(({ input }) => input.state !== 'waiting').length
      if (kept > keptMax)
        tell(`while it cannot write, it keeps ${kept} inputs, though ${keptMax} are allowed`)
    }
    const told = life.test.errors.length
    await life.test.advance(60_000)
    if (life.test.errors.length > told + 100) tell('while it cannot write, it tells so without end')
    world.setFull(false)
    await life.allEnded()
    if (life.open.length > 0) tell('when there is room again, it does not go on')
    const failed = new Set(life.unreleased)
    await life.stop()
    const there = await world.readBack()
    const missing = missingOf(life.released, there)
    if (missing.length > 0) tell(`${missing[0]} was let go around a full disk and is not there`)
    const doubled = [...countsOf(there)].find(([text, count]) => count > 1 && !failed.has(text))
    if (doubled !== undefined) tell(`${doubled[0]} is there ${doubled[1]} times after a full disk`)
  })
}

async function shutdown(kit: SinkConformance, tell: Tell): Promise<void> {
  for (let step = 0; step < SOME; step++) {
    await inWorld(kit, async world => {
      const before = world.handles?.() ?? 0
      const life = await startedIn(kit, world)
      for (const text of texts('line', step)) life.push(text)
      await life.test.advance(step)
      await life.stop()
      if (life.open.length > 0) tell('after its end, inputs are neither done nor failed')
      const left = (world.handles?.() ?? 0) - before
      if (left > 0) tell(`after its end, ${left} handles are still open`)
      if (life.test.environment.timers > 0) tell('after its end, timers are still set')
      const missing = missingOf(life.released, await world.readBack())
      if (missing.length > 0) tell(`${missing[0]} was let go at the end and is not there`)
    })
  }
}
