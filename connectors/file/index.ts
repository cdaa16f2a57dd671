// The door `gearpump/files`: reading files as a source and writing them as a sink, at-least-once.
export { fileSink } from './file-sink.ts'
export { type FileParts, fileSource, type OversizeLine } from './file-source.ts'
export type { FileStat, FileSystem, OpenFile } from './file-system.ts'
export type { FileSinkOptions } from './sink-options.ts'
export type { FileSourceOptions } from './source-options.ts'
