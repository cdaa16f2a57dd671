// What is asked of V8's compiler, for the whole process.
import { setFlagsFromString } from 'node:v8'

/** Bytecode that V8 may inline into one function; 920 when nothing is said. */
const INLINED_BYTES_MAX = 3000

/**
 * The way of a message is many small methods in a row (context, port, edge, runner, inbox, ledger), more than V8 inlines
 * unless it is told: 3 to 10 % of the time of a message. V8 looks at the bound anew for each function that it compiles, so
 * it may be set at any time.
 */
export function inlineLongPaths(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_BYTES_MAX}`)
}
