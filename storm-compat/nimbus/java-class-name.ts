// The class of a serialised Java object, from its first bytes; enough to name in an error what cannot run here.

/** Stream header, TC_OBJECT, TC_CLASSDESC; then the name with its length before it. */
const HEAD = Buffer.of(0xac, 0xed, 0x00, 0x05, 0x73, 0x72)
/** Longer than any class name that was meant. */
const NAME_BYTES_MAX = 500

/**
 * The name of the object's class, or words that say what is there instead.
 *
 * @example javaClassName(bytes) // 'org.apache.storm.topology.BasicBoltExecutor'
 */
export function javaClassName(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const begin = HEAD.length + 2
  if (view.length < begin || !view.subarray(0, HEAD.length).equals(HEAD)) {
    return '(bytes that are no Java object)'
  }
  const length = view.readUInt16BE(HEAD.length)
  const name = view.toString('utf8', begin, begin + Math.min(length, NAME_BYTES_MAX))
  return /^[\p{L}\p{N}_$.[;]+$/u.test(name) ? name : '(a class without a readable name)'
}
