// Makes class files for tests: a class without code that declares these methods.

export interface DeclaredMethod {
  readonly name: string
  readonly descriptor: string
  /** As in class files; public if it is not given. */
  readonly access?: number
}

export function classFile(...methods: readonly DeclaredMethod[]): Buffer {
  const texts = methods.flatMap(({ name, descriptor }) => [name, descriptor])
  const header = Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52])
  const constants = texts.map(text => {
    const bytes = Buffer.from(text)
    return Buffer.concat([Buffer.of(1), two(bytes.length), bytes])
  })
  const declared = methods.map(({ access = 1 }, i) =>
    Buffer.concat([two(access), two(2 * i + 1), two(2 * i + 2), two(0)]),
  )
  return Buffer.concat([
    ...[header, two(texts.length + 1), ...constants],
    // Access, this class, superclass; no interfaces, no fields.
    ...[two(1), two(0), two(0), two(0), two(0)],
    ...[two(methods.length), ...declared, two(0)],
  ])
}

function two(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
