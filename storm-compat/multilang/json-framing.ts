// JSON framing: JSON text, then a line `end`. Reads what children really write: several messages in one chunk, one
// message over several chunks or lines, any line ending, and stray output (a `print`, binary rubbish) between, before
// or glued to messages, which is told apart and never costs the message that follows. Writes one line per message,
// since some libraries read exactly one.
import { StringDecoder } from 'node:string_decoder'
import { Double } from '../component/values.ts'
import { DEPTH_MAX, JsonError, parseJson, parseJsonList, writeJson } from './json.ts'
import { parseLenient } from './json-lenient.ts'
import {
  MESSAGE_BYTES_MAX,
  RUBBISH_BYTES_SHOWN,
  type Serializer,
  showBytes,
  tooLarge,
  type WireReader,
  type WireSink,
  type WireWriter,
} from './wire.ts'

export const jsonSerializer: Serializer = {
  name: 'json',
  reader: messageBytesMax => new JsonReader(messageBytesMax ?? MESSAGE_BYTES_MAX),
  writer: () => new JsonWriter(),
}

const LF = 0x0a
const CR = 0x0d
const END = '\nend\n'

/** How many lines of one unreadable message are tried as its beginning; more is a flood of prints, not a message. */
const RESYNC_LINES_MAX = 64

/** The first thing in a line that looks like an object's key. */
const KEY_BEGINS = /\{\s*"/

class JsonReader implements WireReader {
  private readonly bytesMax: number
  /** Bytes after the last line ending, in pieces: a long line must not be copied once per chunk. */
  private tail: Buffer[] = []
  private tailBytes = 0
  /** Lines of the message that has not ended. */
  private lines: string[] = []
  private linesBytes = 0
  /** The last chunk ended in `\r`; a `\n` that follows belongs to it. */
  private afterReturn = false

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  push(chunk: Buffer, sink: WireSink): void {
    const from = this.afterReturn && chunk[0] === LF ? 1 : 0
    if (chunk.length > 0) this.afterReturn = false
    const cut = Math.max(chunk.lastIndexOf(LF), chunk.lastIndexOf(CR)) + 1
    if (cut <= from) {
      this.keepTail(from === 0 ? chunk : chunk.subarray(from))
      return
    }
    this.afterReturn = chunk[cut - 1] === CR
    let whole = chunk.subarray(from, cut)
    if (this.tailBytes > 0) {
      this.tail.push(whole)
      whole = Buffer.concat(this.tail, this.tailBytes + whole.length)
      this.tail = []
      this.tailBytes = 0
    }
    if (cut < chunk.length) this.keepTail(chunk.subarray(cut))
    this.readLines(whole, sink)
  }

  leftover(): string | undefined {
    const tail = Buffer.concat(this.tail, this.tailBytes).subarray(0, RUBBISH_BYTES_SHOWN)
    const text = [...this.lines, new StringDecoder('utf8').write(tail)].join('\n')
    return text === '' ? undefined : text.slice(0, RUBBISH_BYTES_SHOWN)
  }

  private keepTail(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.tail.push(bytes)
    this.tailBytes += bytes.length
    if (this.tailBytes > this.bytesMax) throw tooLarge('a line', this.bytesMax, this.tail[0]!)
  }

  // `block` ends with a line ending, so no character is cut in two.
  private readLines(block: Buffer, sink: WireSink): void {
    let text = block.toString('utf8')
    if (text.includes('\ufffd')) {
      this.readRubbish(block, sink)
      return
    }
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n')
    const lastEnd = text.lastIndexOf(END)
    let at = 0
    while (at < text.length) {
      if (this.lines.length === 0 && at <= lastEnd) {
        this.readWhole(text.slice(at, lastEnd), sink)
        at = lastEnd + END.length
        continue
      }
      const end = text.indexOf('\n', at)
      this.line(text.slice(at, end), sink)
      at = end + 1
    }
  }

  // The fast way: whole messages, all at once or one after the other, line by line only where a print got between.
  private readWhole(text: string, sink: WireSink): void {
    const bodies = text.split(END)
    const values = bodies.length === 1 ? undefined : parseJsonList(bodies)
    if (values?.every(isMessage)) {
      for (const value of values) sink.message(value)
      return
    }
    for (const body of bodies) {
      const value = body.length <= this.bytesMax ? messageIn(body) : undefined
      if (value !== undefined) sink.message(value)
      else for (const line of `${body}${END}`.split('\n')) this.line(line, sink)
    }
  }

  // Some line is no UTF-8 (or holds U+FFFD itself): line by line, with the bytes at hand to show them.
  private readRubbish(block: Buffer, sink: WireSink): void {
    let at = 0
    while (at < block.length) {
      let end = at
      while (block[end] !== LF && block[end] !== CR) end++
      const bytes = block.subarray(at, end)
      const text = bytes.toString('utf8')
      // With what may begin a message in it, the end of that message decides.
      if (text.includes('\ufffd') && this.lines.length === 0 && !KEY_BEGINS.test(text)) {
        sink.stray(`binary output of ${bytes.length} bytes: ${showBytes(bytes)}`)
      } else {
        this.line(text, sink)
      }
      at = end + (block[end] === CR && block[end + 1] === LF ? 2 : 1)
    }
  }

  private line(line: string, sink: WireSink): void {
    if (line === 'end') {
      const lines = this.lines
      this.lines = []
      this.linesBytes = 0
      if (lines.length > 0) resolve(lines, sink)
      return
    }
    if (this.lines.length === 0) {
      if (line.trim() === '') return
      // Told at once, so that a print is seen when it is made and not with the next message.
      if (!/[[{]/.test(line)) {
        sink.stray(line)
        return
      }
    }
    this.lines.push(line)
    this.linesBytes += line.length + 1
    if (this.linesBytes > this.bytesMax) {
      throw tooLarge(
        'a message',
        this.bytesMax,
        Buffer.from(this.lines[0]!.slice(0, RUBBISH_BYTES_SHOWN)),
      )
    }
  }
}

// A message is an object or an array; a JSON number or string on a line of its own is a print.
function strictMessageIn(text: string): object | undefined {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (thrown) {
    if (thrown instanceof JsonError) return undefined
    throw thrown
  }
  return isMessage(value) ? value : undefined
}

// What is no JSON must at least say what it is, so that the print of an object stays a print.
function messageIn(text: string): object | undefined {
  const strict = strictMessageIn(text)
  if (strict !== undefined) return strict
  const value = parseLenient(text)
  return value !== undefined && ('command' in value || 'pid' in value) ? value : undefined
}

// A Double is a number alone on a line, not an object.
function isMessage(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Double)
}

// Lines up to an `end`. Usually one message; else prints got between, and the message is looked for: from some line
// on, or from within a line (a print without a line ending), or in one line alone.
function resolve(lines: readonly string[], sink: WireSink): void {
  const whole = messageIn(lines.join('\n'))
  if (whole !== undefined) {
    sink.message(whole)
    return
  }
  const first = Math.max(0, lines.length - RESYNC_LINES_MAX)
  for (let i = first; i < lines.length; i++) {
    for (const at of beginnings(lines[i]!)) {
      const found = messageIn([lines[i]!.slice(at), ...lines.slice(i + 1)].join('\n'))
      if (found === undefined) continue
      for (const line of lines.slice(0, i)) tellLine(line, sink)
      if (at > 0) sink.stray(lines[i]!.slice(0, at))
      sink.message(found)
      return
    }
  }
  for (const line of lines) tellLine(line, sink)
}

// One line of a block that is no message as a whole: a command on a line of its own still counts.
function tellLine(line: string, sink: WireSink): void {
  const found = line.startsWith('{') ? strictMessageIn(line) : undefined
  if (found !== undefined && ('command' in found || 'pid' in found)) sink.message(found)
  else sink.stray(whyNot(line))
}

// Where a message may begin in a line: at its start, or at the first thing in it that looks like an object's key.
function beginnings(line: string): number[] {
  const inside = line.search(KEY_BEGINS)
  return inside > 0 ? [0, inside] : [0]
}

// Too deep a nesting is worth saying: the line looks like a message and still is none.
function whyNot(line: string): string {
  if (line.length <= 2 * DEPTH_MAX) return line
  try {
    parseJson(line)
  } catch (thrown) {
    if (thrown instanceof JsonError && thrown.kind === 'depth') {
      return `${thrown.message}: ${line.slice(0, RUBBISH_BYTES_SHOWN)}`
    }
  }
  return line
}

class JsonWriter implements WireWriter {
  private text = ''

  get bytes(): number {
    return this.text.length
  }

  add(message: unknown): void {
    this.text += writeJson(message) + END
  }

  addTuple(
    id: string,
    component: string,
    stream: string,
    task: number,
    values: readonly unknown[],
  ): void {
    const tuple = writeJson(values)
    const place = `","comp":${writeJson(component)},"stream":${writeJson(stream)},"task":${task}`
    this.text += `{"id":"${id}${place},"tuple":${tuple}}${END}`
  }

  take(): string | undefined {
    if (this.text === '') return undefined
    const text = this.text
    this.text = ''
    return text
  }
}
