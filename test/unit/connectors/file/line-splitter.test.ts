// Lines out of chunks: against a naive split, however the chunks are cut; and places of lines in the file.
import test from 'ava'
import fc from 'fast-check'
import { DoneRanges } from '../../../../connectors/base/done-ranges.ts'
import { LineSplitter } from '../../../../connectors/file/line-splitter.ts'
import '../../seed.ts'

interface Line {
  text: string | undefined
  start: number
  end: number
}

/** Feeds `bytes` in chunks of the given sizes, as ReadAhead does. */
function split(
  bytes: Buffer,
  sizes: readonly number[],
  options: { lineBytesMax?: number; crlf?: boolean } = {},
): Line[] {
  const splitter = new LineSplitter({
    encoding: 'utf8',
    crlf: false,
    lineBytesMax: 1000,
    ...options,
  })
  const lines: Line[] = []
  const keep = (text: string) =>
    lines.push({
      text: splitter.tooLong ? undefined : text,
      start: splitter.start,
      end: splitter.end,
    })
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const { buffer, from, to } = splitter.rest
    const size = Math.min(sizes[i % sizes.length]!, bytes.length - at)
    // Bytes behind the chunk must not be looked at.
    const whole = Buffer.concat([
      Buffer.from('\n\n'),
      buffer.subarray(from, to),
      bytes.subarray(at, at + size),
      Buffer.from('\n\n'),
    ])
    splitter.feed({ buffer: whole, from: 2, to: whole.length - 2, offset: at - (to - from) })
    at += size
    for (let text = splitter.take(); text !== undefined; text = splitter.take()) keep(text)
  }
  const rest = splitter.takeRest()
  if (rest !== undefined) keep(rest)
  return lines
}

function naive(bytes: Buffer, lineBytesMax: number): Line[] {
  const lines: Line[] = []
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline + 1
    const last = newline < 0 ? bytes.length : newline
    const text = last - start > lineBytesMax ? undefined : bytes.toString('utf8', start, last)
    lines.push({ text, start, end })
    start = end
  }
  return lines
}

const piece = fc.oneof(
  fc.constant(Buffer.from('\n')),
  fc.string({ maxLength: 12 }).map(text => Buffer.from(text)),
  fc.constantFrom('ä', '€', '😀', '\r', '').map(text => Buffer.from(text)),
  fc.uint8Array({ maxLength: 4 }).map(bytes => Buffer.from(bytes)),
)

test('lines and their places are those of a naive split, whatever the bytes and however they come', t => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }).map(pieces => Buffer.concat(pieces)),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 30 }),
      (bytes, sizes, lineBytesMax) => {
        t.deepEqual(split(bytes, sizes, { lineBytesMax }), naive(bytes, lineBytesMax))
      },
    ),
    { numRuns: 500 },
  )
})

test('blocks of many lines and lines of many blocks', t => {
  const text = Array.from({ length: 5000 }, (_, i) =>
    i % 7 === 0 ? 'ü'.repeat(i) : `line ${i}`,
  ).join('\n')
  const bytes = Buffer.from(text)
  t.deepEqual(
    split(bytes, [70_000, 3], { lineBytesMax: 100_000 }).map(line => line.text),
    text.split('\n'),
  )
})

test('a carriage return goes with the newline only if asked for, and one of them only', t => {
  const bytes = Buffer.from('a\r\nb\n\r\n\r\r\nlast\r')
  const lines = (crlf: boolean) => split(bytes, [100], { crlf }).map(line => line.text)
  t.deepEqual(lines(false), ['a\r', 'b', '\r', '\r\r', 'last\r'])
  t.deepEqual(lines(true), ['a', 'b', '', '\r', 'last'])
})

test('ranges that are done agree with a naive set, in whatever order they end', t => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(1000), { maxLength: 30 }),
      (lengths, order) => {
        let at = 0
        const lines = lengths.map(length => {
          const start = at
          at += length
          return { start, end: at }
        })
        const ranges = new DoneRanges()
        const done = new Set<number>()
        const left = [...lines]
        for (const choice of order) {
          const line = left.splice(choice % Math.max(1, left.length), 1)[0]
          if (line === undefined) break
          ranges.add(line.start, line.end)
          for (let byte = line.start; byte < line.end; byte++) done.add(byte)
          let low = 0
          while (done.has(low)) low++
          t.is(ranges.low, low)
          const told: number[] = []
          for (const [start, end] of ranges.runs())
            for (let byte = start; byte < end; byte++) told.push(byte)
          t.deepEqual(
            told,
            [...done].filter(byte => byte >= low).sort((a, b) => a - b),
          )
          t.true(ranges.runs().length <= left.length + 1)
          for (const from of [0, low, line.start]) {
            const gap = ranges.gap(from)
            let start = Math.max(from, low)
            while (done.has(start)) start++
            t.is(gap.start, start)
            const next = [...done].filter(byte => byte > start)
            t.is(gap.end, next.length === 0 ? Infinity : Math.min(...next))
          }
        }
      },
    ),
  )
})
