// The part of msgpack-lite that is used here; the package has no types of its own.
declare module 'msgpack-lite' {
  const msgpackLite: {
    encode(value: unknown): Buffer
    decode(bytes: Uint8Array): unknown
  }
  export default msgpackLite
}
