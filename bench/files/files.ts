// How fast a file becomes lines: the splitter with its read-ahead alone, the whole source with a sink that does nothing, and a
// copy by source and sink, each line acked after write and sync.
// Run it: node --conditions=source --import=./bin/typescript.mjs bench/files/files.ts [MB]
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { application, connect, graph, noLog, processor, source, type Task } from 'gearpump'
import { fileSink, fileSource } from 'gearpump/files'
import { realFileSystem } from '../../connectors/file/file-system.ts'
import { LineSplitter } from '../../connectors/file/line-splitter.ts'
import { ReadAhead } from '../../connectors/file/read-ahead.ts'

const megabytes = Number(process.argv[2] ?? 400)
const LINE =
  '10.0.0.1 - - [21/Nov/2026:22:00:00 +0000] "GET /index.html?id=12345 HTTP/1.1" 200 5324 0.012 HIT\n'
const CHUNK_BYTES = 512 * 1024

const dir = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
const path = join(dir, 'lines')

function write(): number {
  const block = Buffer.from(LINE.repeat(10_000))
  const file = openSync(path, 'w')
  let bytes = 0
  while (bytes < megabytes * 1e6) bytes += writeSync(file, block)
  return bytes
}

async function splitOnly(): Promise<number> {
  const file = await realFileSystem.open(path, 'read')
  const splitter = new LineSplitter({ encoding: 'utf8', crlf: false, lineBytesMax: 1 << 20 })
  let ready: () => void = () => undefined
  const ahead = new ReadAhead({
    chunkBytes: CHUNK_BYTES,
    restBytesMax: 1 << 20,
    onReady: () => ready(),
  })
  ahead.begin(file, {
    start: 0,
    end: Number.POSITIVE_INFINITY,
    chunksMax: Number.POSITIVE_INFINITY,
  })
  let lines = 0
  for (;;) {
    const chunk = ahead.take(splitter.rest)
    if (chunk === 'waiting') {
      await new Promise<void>(resolve => {
        ready = resolve
      })
      continue
    }
    if (typeof chunk === 'string') break
    splitter.feed(chunk)
    while (splitter.take() !== undefined) lines++
  }
  await file.close()
  return lines
}

async function linesTo(create: () => Task<string, never>): Promise<number> {
  const lines = source('lines', fileSource({ path }))
  const gear = await connect({ log: noLog })
  const running = await gear.submit(
    application('lines', graph(lines.to(processor('sink', create)))),
  )
  await running.drained({ idleMs: 60_000 })
  const { acked } = await running.figures()
  await gear.close()
  return acked
}

const wholeSource = () => linesTo(() => ({ onNext: () => undefined }))
const wholeCopy = () => linesTo(fileSink({ path: join(dir, 'out/{index}-{sequence}') }))

try {
  const bytes = write()
  for (const [name, run] of Object.entries({ splitOnly, wholeSource, wholeCopy })) {
    for (let k = 0; k < 3; k++) {
      const beganMs = performance.now()
      const lines = await run()
      const ms = performance.now() - beganMs
      const figures = `${(bytes / ms / 1000).toFixed(0)} MB/s, ${(lines / ms / 1000).toFixed(2)} M lines/s`
      process.stdout.write(`${name}: ${figures}\n`)
    }
  }
} finally {
  rmSync(dir, { recursive: true })
}
