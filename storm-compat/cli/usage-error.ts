// What is wrong with a command line: told in one line, exit code 2.

export class StormUsageError extends Error {
  override readonly name = 'StormUsageError'
}
