// What is used of npm `thrift`: its binary protocol, over a transport of ours. The package has no types; these are named in
// ours, so that whoever compiles against this one needs none either.

export interface Transport {
  read(length: number): Buffer
  readByte(): number
  readI16(): number
  readI32(): number
  readDouble(): number
  readString(length: number): string
  write(bytes: Uint8Array): void
  flush(): void
  setCurrSeqId(id: number): void
}

/** A 64-bit integer: eight bytes, big end first. */
interface EightBytes {
  readonly buffer: Uint8Array
  readonly offset?: number
}

export interface BinaryProtocol {
  writeMessageBegin(name: string, type: number, seqid: number): void
  writeMessageEnd(): void
  writeFieldBegin(name: string, type: number, id: number): void
  writeFieldStop(): void
  writeMapBegin(keyType: number, valueType: number, size: number): void
  writeListBegin(elementType: number, size: number): void
  writeSetBegin(elementType: number, size: number): void
  writeBool(value: boolean): void
  writeI32(value: number): void
  writeI64(value: EightBytes): void
  writeDouble(value: number): void
  writeString(value: string): void
  writeBinary(value: Uint8Array): void
  /** The name is bytes when the message has no version word. */
  readMessageBegin(): { fname: string | Buffer; mtype: number; rseqid: number }
  readFieldBegin(): { ftype: number; fid: number }
  readMapBegin(): { ktype: number; vtype: number; size: number }
  readListBegin(): { etype: number; size: number }
  readSetBegin(): { etype: number; size: number }
  readBool(): boolean
  readI32(): number
  readI64(): { readonly buffer: Buffer; readonly offset: number }
  readDouble(): number
  readString(): string
  readBinary(): Buffer
  skip(type: number): void
}
