// The conformance kit for sources: runs any source through crashes at each step, replays, back pressure and its end, and says in
// plain sentences what it does not keep. It is given a world in which the source lives: how to fill it, how to make a
// task of the source, and what dies in a crash. In virtual time; a world with real input gives it time by `settle`.
import { findingsOf, type Tell } from './conformance-findings.ts'
import { seededRandom } from './seeded-random.ts'
import { inWorld, type SourceConformance, SourceLife, type SourceWorld } from './source-life.ts'

/** Steps at which a crash is tried; each is a run of its own. */
const CRASH_STEPS = 12

/**
 * Runs a source through the kit. What it returns is empty when the source conforms; else each sentence says what it broke.
 *
 * @example
 * t.deepEqual(await sourceFindings({ world: () => new TableWorld(), openMax: 10 }), [])
 */
export function sourceFindings(kit: SourceConformance): Promise<string[]> {
  return findingsOf(kit, [everythingOnce, replay, backPressure, slowOne, crashes, shutdown])
}

function compare(
  what: string,
  keys: readonly string[],
  expected: readonly string[],
  tell: Tell,
): void {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  const missing = expected.filter(key => !counts.has(key))
  const known = new Set(expected)
  const foreign = [...counts.keys()].filter(key => !known.has(key))
  const doubled = [...counts].filter(([key, count]) => known.has(key) && count > 1)
  if (missing.length > 0)
    tell(`${what}: ${missing.length} messages never came, such as ${missing[0]}`)
  if (foreign.length > 0) tell(`${what}: messages came that should not, such as ${foreign[0]}`)
  if (doubled.length > 0)
    tell(`${what}: messages came more often than once without reason, such as ${doubled[0]![0]}`)
}

// ---- scenarios

async function everythingOnce(kit: SourceConformance, tell: Tell): Promise<void> {
  await inWorld(kit, async world => {
    const expected = await world.populate(kit.openMax * 3)
    const life = await SourceLife.open(kit, world)
    await life.allDone()
    compare('without failures', life.keys, expected, tell)
    const untracked = life.test.emitted.find(output => output.state === 'untracked')
    if (untracked !== undefined)
      tell(`messages without an id: ${life.key(untracked)} cannot be replayed`)
    if (kit.ends === true && !life.test.ended) tell('it does not end when everything is done')
    if (kit.ends === false && life.test.ended) tell('it ends, though more may come')
    if (life.test.errors.length > 0)
      tell(`without failures: it reported ${life.test.errors[0]!.message}`)
    await life.stop()
    const again = await SourceLife.open(kit, world, life.test.position())
    await again.allDone()
    compare('opened where all was done', again.keys, [], tell)
    await again.stop()
  })
}

async function replay(kit: SourceConformance, tell: Tell): Promise<void> {
  await inWorld(kit, async world => {
    const expected = await world.populate(kit.openMax)
    const life = await SourceLife.open(kit, world)
    await life.quiet()
    const failed = life.test.emitted.filter((_, i) => i % 3 === 0)
    life.test.fail(...failed.map(output => output.id))
    await life.quiet()
    const again = life.keys.slice(expected.length)
    compare(
      'after a failure, what failed',
      again,
      failed.map(output => life.key(output)),
      tell,
    )
    life.test.fail(...life.test.open.slice(0, 1))
    await life.allDone()
    if (new Set(life.keys).size !== expected.length) tell('after failures: a message is missing')
    if (kit.ends === true && !life.test.ended)
      tell('after failures: it does not end when all is done')
    await life.stop()
  })
}

async function backPressure(kit: SourceConformance, tell: Tell): Promise<void> {
  await inWorld(kit, async world => {
    const expected = await world.populate(kit.openMax * 3)
    const life = await SourceLife.open(kit, world)
    let most = 0
    const watch = () => {
      most = Math.max(most, life.test.open.length)
    }
    await life.quiet(watch)
    const { open } = life.test
    if (most < kit.openMax)
      tell(`it stops at ${most} open messages, though ${kit.openMax} may be open`)
    life.test.done(open[open.length >> 1])
    await life.quiet(watch)
    if (life.test.emitted.length !== kit.openMax + 1)
      tell(`when one of ${kit.openMax} open messages is done, not one more comes`)
    life.test.fail(...life.test.open.slice(0, 2))
    await life.quiet(watch)
    if (most > kit.openMax) tell(`${most} messages were open, though at most ${kit.openMax} may be`)
    await life.allDone()
    compare('after back pressure', [...new Set(life.keys)], expected, tell)
    await life.stop()
  })
}

// One message is never done: it must come again after a crash, and must stop nobody else.
async function slowOne(kit: SourceConformance, tell: Tell): Promise<void> {
  if (kit.openMax < 2) return
  await inWorld(kit, async world => {
    const expected = await world.populate(kit.openMax * 3)
    const life = await SourceLife.open(kit, world)
    await life.quiet()
    const slow = life.test.emitted[0]!
    await life.quiet(() => {
      const rest = life.test.open.filter(id => id !== slow.id)
      if (rest.length > 0) life.test.done(...rest)
    })
    const left = expected.length - new Set(life.keys).size
    if (left > 0) tell(`a message that is never done keeps ${left} others from coming`)
    const position = life.test.position()
    await world.crash?.()
    const again = await SourceLife.open(kit, world, position)
    await again.allDone()
    if (!again.keys.includes(life.key(slow)))
      tell('a message that was never done is missing after a crash')
    if (kit.replays === 'exact')
      compare('after a crash with one slow message', again.keys, [life.key(slow)], tell)
    await again.stop()
  })
}

async function crashes(kit: SourceConformance, tell: Tell): Promise<void> {
  for (let step = 0; step < CRASH_STEPS; step++) {
    await inWorld(kit, world => crashAt(kit, world, step, tell))
  }
}

/** What the test knows of the messages of one world. */
interface Known {
  readonly expected: readonly string[]
  /** Where the next life begins, and what was told done when that was stored. */
  position: unknown
  stored: ReadonlySet<string>
}

async function crashAt(
  kit: SourceConformance,
  world: SourceWorld,
  step: number,
  tell: Tell,
): Promise<void> {
  const random = seededRandom((kit.seed ?? 1) * 1000 + step)
  const expected = await world.populate(kit.openMax * 3)
  const known: Known = { expected, position: undefined, stored: new Set() }
  // Three lives end in a crash: one late, one as soon as its position was stored, one in between.
  for (const steps of [step, 0, step >> 1]) {
    const { stored } = known
    const life = await SourceLife.open(kit, world, known.position)
    const failures = new Map<string, number>()
    for (let k = 0; k < steps; k++) {
      await someEnd(life, failures, random)
      // It is stored now and then: what is done after that may be done again.
      if (random() < 0.5) store(kit, life, known, stored)
    }
    if (steps === 0) store(kit, life, known, stored)
    judge(kit, life, { expected, stored, failures }, tell)
    await world.crash?.()
  }
  const { stored } = known
  const last = await SourceLife.open(kit, world, known.position)
  await last.allDone()
  judge(kit, last, { expected, stored, failures: new Map() }, tell)
  const keys = new Set(last.keys)
  const missing = expected.filter(key => !stored.has(key) && !keys.has(key))
  if (missing.length > 0)
    tell(`after a crash: messages that were not done never came again, such as ${missing[0]}`)
  await last.stop()
}

// Ends some of what is open, in any order.
async function someEnd(
  life: SourceLife,
  failures: Map<string, number>,
  random: () => number,
): Promise<void> {
  await life.look()
  for (const output of life.test.emitted.filter(one => one.state === 'open')) {
    const key = life.key(output)
    const choice = random()
    if (choice < 0.4) {
      life.test.done(output.id)
    } else if (choice < 0.5) {
      failures.set(key, (failures.get(key) ?? 0) + 1)
      life.test.fail(output.id)
    }
  }
}

// What was told done in a former life after its position was stored is not done any more; and an offset knows only of what
// is done from the first message on.
function store(
  kit: SourceConformance,
  life: SourceLife,
  known: Known,
  begin: ReadonlySet<string>,
): void {
  const ended = life.test.emitted.filter(output => output.state === 'done')
  const done = new Set([...begin, ...ended.map(output => life.key(output))])
  const first = known.expected.findIndex(key => !done.has(key))
  known.position = life.test.position()
  known.stored =
    kit.replays === 'exact' || first < 0 ? done : new Set(known.expected.slice(0, first))
}

interface Explained {
  readonly expected: readonly string[]
  /** Done by the position where this life began. */
  readonly stored: ReadonlySet<string>
  readonly failures: ReadonlyMap<string, number>
}

// Each message of a life is one that was not done where it began, and comes once, and once more for each failure.
function judge(kit: SourceConformance, life: SourceLife, explained: Explained, tell: Tell): void {
  const { expected, stored, failures } = explained
  const first = expected.findIndex(key => !stored.has(key))
  const mayCome =
    kit.replays === 'exact'
      ? new Set(expected.filter(key => !stored.has(key)))
      : new Set(first < 0 ? [] : expected.slice(first))
  const counts = new Map<string, number>()
  for (const key of life.keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const [key, count] of counts) {
    if (!mayCome.has(key))
      tell(`after a crash: ${key} came again, though it was done before its position`)
    else if (count > 1 + (failures.get(key) ?? 0))
      tell(`after a crash: ${key} came ${count} times in one life with fewer failures`)
  }
}

async function shutdown(kit: SourceConformance, tell: Tell): Promise<void> {
  for (let looks = 0; looks < CRASH_STEPS; looks++) {
    await inWorld(kit, async world => {
      await world.populate(kit.openMax * 3)
      const before = world.handles?.() ?? 0
      const life = await SourceLife.open(kit, world)
      for (let k = 0; k < looks >> 1; k++) await life.look()
      if (looks % 2 === 1) life.test.done()
      await life.stop()
      const emitted = life.test.emitted.length
      const left = (world.handles?.() ?? 0) - before
      if (left > 0) tell(`after close, ${left} handles are still open`)
      if (life.test.environment.timers > 0) tell('after close, timers are still set')
      await life.quiet()
      if (life.test.emitted.length > emitted) tell('after close, messages still come')
    })
  }
}
