// An error in the words that a terminal shows: what Nimbus threw with the name that Storm gives it, ours with its hint.
import { asError, EngineError } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'

/** One line, or two with what to do next. */
export function errorText(error: unknown): string {
  const hint = error instanceof EngineError ? error.hint : undefined
  return hint === undefined ? errorLine(error) : `${errorLine(error)}\n  ${hint}`
}

export function errorLine(error: unknown): string {
  if (!(error instanceof ThriftException)) return harmless(asError(error).message)
  const { msg } = error.value as { msg?: string }
  return harmless(`${error.type.name}: ${msg ?? 'no reason given'}`)
}

// Text from elsewhere must not move the cursor.
function harmless(text: string): string {
  return text.replace(/[^\n\t\P{Cc}]/gu, '?')
}
