// What is asked of us, as plain data: which figures of one round are compared, and the bound. Pure: rows in, verdict out.
// A ratio is taken inside one round, so that both sides saw the same machine in the same minutes; the median over the
// rounds decides.
import type { Row } from '../harness/measure.ts'

/** The rows of one round by case. A peer's case has `peer:` before its name. */
export type Round = ReadonlyMap<string, Row>

export interface Demand {
  readonly name: string
  readonly text: string
  /** Cases that must have run. */
  readonly cases: readonly string[]
  /** The figure of one round; undefined when something in it is missing. */
  readonly figure: (round: Round) => number | undefined
  readonly atLeast?: number
  readonly atMost?: number
  readonly aim?: number
}

export interface Verdict {
  readonly demand: string
  readonly rounds: number
  readonly median: number
  readonly min: number
  readonly max: number
  readonly asked: string
  readonly holds: boolean
  readonly aim_reached?: boolean
  /** Rounds in which a run had foreign load beside it. */
  readonly noisy_rounds: number
}

/** The peer counts words at its sink, we sentences. */
const WORDS_PER_SENTENCE = 10

function value(round: Round, name: string, field: string): number | undefined {
  const found = round.get(name)?.[field]
  return typeof found === 'number' ? found : undefined
}

function quotient(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined || under === 0 ? undefined : over / under
}

const rate = (round: Round, name: string) => value(round, name, 'msgs_per_sec')

function against(ours: string, storm: string, atLeast: number, aim?: number): Demand {
  const peer = `peer:${storm}`
  const scale = storm.startsWith('ml-') ? WORDS_PER_SENTENCE : 1
  return {
    name: `${ours} / ${storm}`,
    text: `\`${ours}\` against Storm's \`${storm}\`, messages per second`,
    cases: [ours, peer],
    figure: round => {
      const ratio = quotient(rate(round, ours), rate(round, peer))
      return ratio === undefined ? undefined : ratio * scale
    },
    atLeast,
    ...(aim === undefined ? {} : { aim }),
  }
}

function own(over: string, under: string, atLeast: number): Demand {
  return {
    name: `${over} / ${under}`,
    text: `\`${over}\` against our own \`${under}\`, messages per second`,
    cases: [over, under],
    figure: round => quotient(rate(round, over), rate(round, under)),
    atLeast,
  }
}

function bound(name: string, field: string, atMost: number, text: string): Demand {
  return {
    name: `${name} ${field}`,
    text,
    cases: [name],
    figure: round => value(round, name, field),
    atMost,
  }
}

function ofCeiling(name: string, atLeast: number): Demand {
  return {
    name: `${name} of ceiling`,
    text: `\`${name}\` as a part of what the child reaches alone`,
    cases: [name],
    figure: round => value(round, name, 'of_ceiling'),
    atLeast,
  }
}

// The CPU of the child for one sentence: the same component, Storm's library against ours.
function childCpu(ours: string): Demand {
  const field = 'child_cpu_us_per_sentence'
  return {
    name: `py-split / ${ours}, child CPU`,
    text: `CPU of the child per sentence: stock storm.py against ours (\`${ours}\`)`,
    cases: ['py-split', ours],
    figure: round => quotient(value(round, 'py-split', field), value(round, ours, field)),
    atLeast: 2,
    aim: 3,
  }
}

// A worse one of two latencies: messages back to back, and one every few ms.
function lone(name: string, atMost: number): Demand {
  return {
    name: `${name} p99`,
    text: `\`${name}\`: p99 in ms, back to back or every 5 ms, whichever is worse`,
    cases: [name],
    figure: round => {
      const busy = value(round, name, 'lat_p99_ms')
      const paced = value(round, name, 'paced_lat_p99_ms')
      return busy === undefined || paced === undefined ? undefined : Math.max(busy, paced)
    },
    atMost,
  }
}

export const demands: readonly Demand[] = [
  against('sol', 'sol-tuned-b1', 4, 7),
  against('sol-acked', 'sol-acked-tuned', 15, 30),
  own('sol-acked', 'sol', 0.5),
  against('storm-sol-acked', 'sol-acked-tuned', 8),
  against('sol-2x', 'c-sol-tuned', 5),
  against('sol-2x-acked', 'c-sol-acked-tuned', 10),
  against('wc-acked', 'wc-acked-tuned', 6, 10),
  against('py-split', 'ml-split', 4),
  ofCeiling('py-split', 0.6),
  childCpu('py-split-own'),
  childCpu('py-split-own-msgpack'),
  ofCeiling('pystorm-json', 0.9),
  ofCeiling('pystorm-msgpack', 0.9),
  own('tasks-10000', 'tasks-100', 1 / 3),
  bound('tasks-10000', 'rss_mb', 200, '`tasks-10000`: resident memory, MB'),
  lone('lone-message', 1),
  lone('lone-message-2x', 5),
  bound('half-load', 'lat_p999_ms', 8, '`half-load`: p99.9 in ms'),
  bound('first-tuple', 'first_tuple_s', 1.5, '`first-tuple`: seconds'),
]

/** The verdict over all rounds that have the figure; undefined when none has. */
export function judge(demand: Demand, rounds: readonly Round[]): Verdict | undefined {
  const having = rounds.filter(round => demand.figure(round) !== undefined)
  const figures = having.map(round => demand.figure(round)!).sort((a, b) => a - b)
  if (figures.length === 0) return undefined
  const middle = median(figures)
  const { atLeast = -Infinity, atMost = Infinity, aim } = demand
  return {
    demand: demand.name,
    rounds: figures.length,
    median: significant(middle),
    min: significant(figures[0]!),
    max: significant(figures.at(-1)!),
    asked: asked(demand),
    holds: middle >= atLeast && middle <= atMost,
    ...(aim === undefined ? {} : { aim_reached: middle >= aim }),
    noisy_rounds: having.filter(round => demand.cases.some(name => isNoisy(round.get(name))))
      .length,
  }
}

function asked({ atLeast, atMost, aim }: Demand): string {
  const first = atLeast === undefined ? `≤ ${atMost}` : `≥ ${significant(atLeast)}`
  return aim === undefined ? first : `${first}, aim ${aim}`
}

/** Foreign load from which a run of the peer, too, is called noisy. */
const NOISE_CORES = 0.1

export function isNoisy(row: Row | undefined): boolean {
  const foreign = row?.foreign_cpu_cores
  return typeof foreign === 'number' && foreign > NOISE_CORES
}

export function median(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

export function significant(figure: number): number {
  return Number(figure.toPrecision(3))
}
