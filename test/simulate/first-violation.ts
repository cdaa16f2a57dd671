// Runs worlds with one rule broken until one of them notices.
import { MUTATIONS } from './mutations.ts'
import { runWorld } from './world.ts'

export async function firstViolation(
  mutation: string,
  { first, worldsMax }: { first: number; worldsMax: number },
): Promise<{ worlds: number; violation: string } | undefined> {
  const undo = MUTATIONS[mutation]!()
  try {
    for (let worlds = 1; worlds <= worldsMax; worlds++) {
      try {
        await runWorld(first + worlds - 1)
      } catch (error) {
        return { worlds, violation: error instanceof Error ? error.message : String(error) }
      }
    }
    return undefined
  } finally {
    undo()
  }
}
