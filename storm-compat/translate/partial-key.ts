// Storm's partial key grouping: each key has two candidate tasks, the same two at every emitter, and a tuple goes to
// the one of them that this emitter has used less. Hot keys are spread over two tasks, and a bolt behind adds up two
// partial results at most. The candidates are drawn as Storm 2 draws them, by `java.util.Random` seeded with a hash
// of the key, so that a JVM and we agree on them.
import type { Values } from '../component/api.ts'
import { javaHash } from './java-hash.ts'

/**
 * The choice of one emitting task: the index of the target task. It counts what it chose, so each emitting task needs
 * one of its own.
 *
 * @param positions of the grouping's fields among the stream's fields, in the order of the grouping
 */
export function partialKeyChoice(
  positions: readonly number[],
  targets: number,
): (values: Values) => number {
  const used = new Float64Array(targets)
  return values => {
    const [first, second] = candidates(keySeed(positions, values), targets)
    const chosen = used[second]! < used[first]! ? second : first
    used[chosen]! += 1
    return chosen
  }
}

/** The two candidates of a key; both are 0 when there is one task only. */
export function candidates(seed: number, targets: number): readonly [number, number] {
  const random = new JavaRandom(seed)
  const first = random.nextInt(targets)
  const second = random.nextInt(targets)
  return [first, second === first ? (second + 1) % targets : second]
}

/** `Arrays.hashCode` over the bytes of the key: four for the hash of each field, the highest first. */
export function keySeed(positions: readonly number[], values: Values): number {
  let seed = 1
  for (const position of positions) {
    const hash = javaHash(values[position])
    seed = (Math.imul(seed, 31) + (hash >> 24)) | 0
    seed = (Math.imul(seed, 31) + ((hash << 8) >> 24)) | 0
    seed = (Math.imul(seed, 31) + ((hash << 16) >> 24)) | 0
    seed = (Math.imul(seed, 31) + ((hash << 24) >> 24)) | 0
  }
  return seed
}

const HALF_BITS = 24
const HALF = 2 ** HALF_BITS
const HALF_MASK = HALF - 1

// The multiplier 0x5DEECE66D of the generator, in halves, and what it adds.
const MULTIPLIER_HIGH = 0x5de
const MULTIPLIER_LOW = 0xece66d
const INCREMENT = 0xb

/**
 * `java.util.Random`: a linear congruence modulo 2^48. Its state is kept in two halves of 24 bits, as their products
 * stay below 2^53 and so are exact; a bigint would be allocated anew for each draw.
 */
export class JavaRandom {
  #high: number
  #low: number

  /** `seed` is an int, made longer by its sign as Java does. */
  constructor(seed: number) {
    this.#high = ((seed >> HALF_BITS) & HALF_MASK) ^ MULTIPLIER_HIGH
    this.#low = (seed & HALF_MASK) ^ MULTIPLIER_LOW
  }

  /** A number from 0 to `bound - 1`; `bound` is from 1 to 2^31 - 1. */
  nextInt(bound: number): number {
    let bits = this.#next31()
    // A power of two takes the high bits, which are the better ones.
    if ((bound & (bound - 1)) === 0) return Math.floor((bound * bits) / 2 ** 31)
    // The last, incomplete run of remainders is drawn again: else low numbers would come more often.
    while (bits - (bits % bound) + bound - 1 >= 2 ** 31) bits = this.#next31()
    return bits % bound
  }

  #next31(): number {
    const low = this.#low * MULTIPLIER_LOW + INCREMENT
    const high = this.#high * MULTIPLIER_LOW + this.#low * MULTIPLIER_HIGH + Math.floor(low / HALF)
    this.#low = low & HALF_MASK
    this.#high = high & HALF_MASK
    return this.#high * 128 + (this.#low >> 17)
  }
}
