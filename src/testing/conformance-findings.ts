// What the conformance kits share: runs the scenarios of a kit one after the other and collects what each has to say, as
// plain sentences; a scenario that throws is a finding, and so is a wrong declaration that is not refused at once.
import { asError, UserError } from '../base/errors.ts'

export type Tell = (finding: string) => void

/** Declarations that are wrong: each must throw a UserError at once. */
interface Declares {
  readonly misconfigured?: readonly (() => unknown)[]
}

/** Each finding once, in the order in which they were told. */
export async function findingsOf<K extends Declares>(
  kit: K,
  scenarios: readonly ((kit: K, tell: Tell) => Promise<void>)[],
): Promise<string[]> {
  const findings = new Set<string>()
  for (const scenario of scenarios) {
    try {
      await scenario(kit, finding => void findings.add(finding))
    } catch (error) {
      findings.add(`${scenario.name}: it threw: ${asError(error).message}`)
    }
  }
  for (const [i, declare] of (kit.misconfigured ?? []).entries()) {
    const finding = misconfigured(declare, `misconfigured[${i}]`)
    if (finding !== undefined) findings.add(finding)
  }
  return [...findings]
}

/** What is wrong with the way a wrong declaration is refused; undefined = nothing. */
function misconfigured(declare: () => unknown, name: string): string | undefined {
  try {
    declare()
  } catch (error) {
    if (error instanceof UserError && error.problems.length > 0) return undefined
    return `${name}: it threw no UserError that lists what is wrong, but: ${asError(error).message}`
  }
  return `${name}: it was accepted; a wrong declaration must throw when it is made`
}
