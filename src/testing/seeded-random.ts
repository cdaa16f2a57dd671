// Numbers that look random and follow from a seed: a 32-bit counter, mixed until every bit depends on every other. For
// tests only.

/** Golden ratio of 2^32: steps through all states before one comes again. */
const STEP = 0x9e3779b9

/** A source of numbers, uniform in [0, 1). The same seed gives the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + STEP) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
