// Changes Java object streams at random, with a taste for the edges of lengths, counts and handles.

/** Xorshift: the same numbers for the same seed. */
export function drawer(seed: number): (below: number) => number {
  let state = seed | 0
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

// Values at the edges of lengths, counts and handles.
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff]

/** One to four changes: other bytes, letters of the protocol, a cut, bytes left out or repeated. */
export function mutateStream(bytes: Buffer, draw: (below: number) => number): Buffer {
  let mutated: Buffer = Buffer.from(bytes)
  for (let changes = 1 + draw(4); changes > 0; changes--) {
    const at = draw(mutated.length)
    const kind = draw(6)
    if (kind === 0) mutated[at] = draw(256)
    else if (kind === 1) mutated[at] = EDGES[draw(EDGES.length)]!
    else if (kind === 2) mutated[at] = 0x70 + draw(15)
    else if (kind === 3) mutated = mutated.subarray(0, at + 1)
    else if (kind === 4) mutated = splice(mutated, at, Buffer.alloc(0), 1 + draw(8))
    else {
      const from = draw(mutated.length)
      mutated = splice(mutated, at, mutated.subarray(from, from + 1 + draw(64)), 0)
    }
  }
  return mutated
}

function splice(bytes: Buffer, at: number, added: Buffer, removed: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
}
