// What is known of one process of a shell component, from its start to its end: plain data that the host keeps.
import type { EngineError } from 'gearpump/spi'
import type { ShellProcess } from './shell-process.ts'
import type { Serializer, WireReader, WireWriter } from './wire.ts'

export interface Life {
  process: ShellProcess | undefined
  readonly reader: WireReader
  readonly writer: WireWriter
  lastHeardMs: number
  upSinceMs: number | undefined
  /** It has answered the handshake with talk only, and may be loading still. */
  loading: boolean
  pid: number | undefined
  verdict: EngineError | undefined
  lastError: { text: string; atMs: number } | undefined
}

/** A process that is about to be started. */
export function newLife(serializer: Serializer, bytesMax: number | undefined, nowMs: number): Life {
  return {
    process: undefined,
    reader: serializer.reader(bytesMax),
    writer: serializer.writer(),
    lastHeardMs: nowMs,
    upSinceMs: undefined,
    loading: false,
    pid: undefined,
    verdict: undefined,
    lastError: undefined,
  }
}
