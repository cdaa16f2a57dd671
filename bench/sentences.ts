// The input of the word-count benchmarks: 100 sentences of ten words out of 1000, the same on every run and the same as
// `sentences()` of the Storm peer in bench/storm, so that both engines and all children split identical text. For that,
// java.util.Random is done over again here: a 48-bit linear congruential generator.

const multiplier = 0x5deece66dn
const mask = (1n << 48n) - 1n

/** java.util.Random(seed).nextInt(bound), for bounds below 2^31. */
export function javaRandom(seed: bigint): (bound: number) => number {
  let state = (seed ^ multiplier) & mask
  const next31 = (): number => {
    state = (state * multiplier + 0xbn) & mask
    return Number(state >> 17n)
  }
  return bound => {
    if ((bound & (bound - 1)) === 0) return Number((BigInt(bound) * BigInt(next31())) >> 31n)
    for (;;) {
      const bits = next31()
      const value = bits % bound
      // Java rejects the last incomplete run of values, which shows in 32-bit arithmetic as an overflow.
      if (bits - value + (bound - 1) < 2 ** 31) return value
    }
  }
}

/** 100 sentences of ten words each out of 1000 words of three to ten letters (seed 42). */
export function sentences(): string[] {
  const nextInt = javaRandom(42n)
  const words = Array.from({ length: 1000 }, () => {
    const length = 3 + nextInt(8)
    return String.fromCharCode(...Array.from({ length }, () => 97 + nextInt(26)))
  })
  return Array.from({ length: 100 }, () =>
    Array.from({ length: 10 }, () => words[nextInt(words.length)]!).join(' '),
  )
}
