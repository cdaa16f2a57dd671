// Imported by path, because the package's main module would load its WebSocket, HTTP and TLS connections as well.
declare module 'thrift/lib/nodejs/lib/thrift/binary_protocol.js' {
  const TBinaryProtocol: new (
    transport: import('./binary-protocol.ts').Transport,
    strictRead: boolean,
    strictWrite: boolean,
  ) => import('./binary-protocol.ts').BinaryProtocol
  export default TBinaryProtocol
}
