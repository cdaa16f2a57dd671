// Bytes made wrong on purpose, the same ones for the same seed: for tests of what reads bytes from strangers.

/** A generator of numbers in [0, 1), small and the same everywhere (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Numbers that lengths, sizes and types are made of when they are made wrong. */
const TELLING = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 100_001, 16_384_000, 0x80010001 | 0]

/** A copy with one to four mistakes. */
export function mutated(bytes: Buffer, random: () => number): Buffer {
  let made = Buffer.from(bytes)
  const below = (bound: number) => Math.floor(random() * bound)
  for (let left = 1 + below(4); left > 0 && made.length > 0; left--) {
    const at = below(made.length)
    switch (below(6)) {
      case 0:
        made[at] = below(256)
        break
      case 1:
        made[at]! ^= 1 << below(8)
        break
      case 2:
        made = made.subarray(0, at)
        break
      case 3:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + 1 + below(8))])
        break
      case 4:
        made = Buffer.concat([
          made.subarray(0, at),
          made.subarray(below(made.length)),
          made.subarray(at),
        ])
        break
      default:
        if (at + 4 <= made.length) made.writeInt32BE(TELLING[below(TELLING.length)]!, at)
    }
  }
  return made
}
