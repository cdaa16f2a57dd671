// A partitioner of the user's own, as an edge is made of it: what is wrong with its function is told when tasks are made, not once per
// message.
import { asError, EngineError } from '../base/errors.ts'

/** The choice of one source task on one edge. Throws BAD_INPUT. */
export function chosenBy<Choice>(
  { kind, create }: { kind: string; create: (targets: number, index: number) => Choice },
  targets: number,
  index: number,
): Choice {
  let choose: Choice
  try {
    choose = create(targets, index)
  } catch (thrown) {
    const cause = asError(thrown)
    throw new EngineError('BAD_INPUT', `the function given to ${kind}() threw: ${cause.message}`, {
      cause,
    })
  }
  if (typeof choose === 'function') return choose
  throw new EngineError('BAD_INPUT', `the function given to ${kind}() returns no function`, {
    hint: `it is called once per task and gives what is called per message: ${kind}(targets => value => …)`,
  })
}
