// Finds where one MessagePack value ends when it comes in many chunks, looking at each byte once and keeping nothing
// of them: the number of values still to come, over all levels, is enough. The decoder runs when the end is there.

/** Tells when a value that began with the first bytes given to it is complete. */
export class MsgpackEnding {
  /** Values still to come at all levels together. */
  private values = 1
  /** Bytes to pass over: the body of a string, a number. */
  private skip = 0
  /** Bytes of a length field still to come, the length so far, and how many values each unit of it stands for. */
  private lengthBytes = 0
  private length = 0
  private valuesPerUnit = 0

  /** Takes the next bytes; true when the value ends within them. */
  reached(bytes: Uint8Array): boolean {
    let at = 0
    while (at < bytes.length) {
      if (this.skip > 0) {
        const passed = Math.min(this.skip, bytes.length - at)
        this.skip -= passed
        at += passed
      } else if (this.lengthBytes > 0) {
        this.readLength(bytes[at++]!)
      } else {
        this.values--
        this.begin(bytes[at++]!)
      }
      if (this.values === 0 && this.skip === 0 && this.lengthBytes === 0) return true
    }
    return false
  }

  private readLength(byte: number): void {
    this.length = this.length * 256 + byte
    this.lengthBytes--
    if (this.lengthBytes > 0) return
    if (this.valuesPerUnit === 0) this.skip = this.length
    else this.values += this.length * this.valuesPerUnit
    this.length = 0
  }

  private begin(code: number): void {
    if (code < 0x80 || code >= 0xe0) return
    if (code < 0x90) this.values += 2 * (code & 0x0f)
    else if (code < 0xa0) this.values += code & 0x0f
    else if (code < 0xc0) this.skip = code & 0x1f
    else if (code >= 0xc4 && code <= 0xc6) this.expectLength(1 << (code - 0xc4), 0)
    else if (code === 0xca) this.skip = 4
    else if (code === 0xcb) this.skip = 8
    else if (code >= 0xcc && code <= 0xd3) this.skip = 1 << ((code - 0xcc) & 3)
    else if (code >= 0xd9 && code <= 0xdb) this.expectLength(1 << (code - 0xd9), 0)
    else if (code >= 0xdc) this.expectLength(code & 1 ? 4 : 2, code < 0xde ? 1 : 2)
    // What is left needs no bytes, or is nothing the decoder accepts: it will say so.
  }

  private expectLength(bytes: number, valuesPerUnit: number): void {
    this.lengthBytes = bytes
    this.valuesPerUnit = valuesPerUnit
  }
}
