// Makes zip files for tests, right ones and wrong ones.
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipFile {
  readonly name: string
  readonly content?: string | Buffer
  readonly stored?: boolean
  /** Unix mode with file type; 0 = made on another system. */
  readonly mode?: number
  /** What the directory says instead of the truth. */
  readonly bytes?: number
  readonly crc?: number
  readonly method?: number
  readonly flags?: number
  readonly offset?: number
}

export function zip(...files: readonly ZipFile[]): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let at = 0
  for (const file of files) {
    const content = Buffer.from(file.content ?? '')
    const packed = file.stored === true ? content : deflateRawSync(content)
    const name = Buffer.from(file.name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt8(file.mode === undefined ? 0 : 3, 5)
    central.writeUInt16LE(file.flags ?? 0, 8)
    central.writeUInt16LE(file.method ?? (file.stored === true ? 0 : 8), 10)
    central.writeUInt32LE(file.crc ?? crc32(content), 16)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(file.bytes ?? content.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt16LE(file.mode ?? 0, 40)
    central.writeUInt32LE(file.offset ?? at, 42)
    locals.push(local, name, packed)
    centrals.push(central, name)
    at += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, directory, end])
}
