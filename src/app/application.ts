// An application: a named DAG with its profile and settings, and how another process can get the same one. No function
// ever travels: each executor imports the code and finds its processors by name.
import { asError, type EngineError, type Problem, UserError } from '../base/errors.ts'
import { type Dag, validateDag } from '../dag/graph.ts'
import {
  balanced,
  PROFILES,
  type Profile,
  type ProfileName,
  profileProblems,
} from '../task/profile.ts'
import { type Serialiser, Serialisers } from '../transport/serialisers.ts'

/** How another process gets the same application: it imports `module` and calls its export with `input`. */
export interface CodeRef {
  /** A file URL or a package's door. */
  readonly module: string
  /** Name of the export: a function of `input` that returns an Application, or a promise of one. */
  readonly export: string
  /** Plain data. */
  readonly input: unknown
}

export interface Application {
  readonly name: string
  readonly dag: Dag
  readonly profile: Profile
  /** Settings that every task sees in `context.config`. Plain data. */
  readonly config: Readonly<Record<string, unknown>>
  /** Serialisers for types of values that cross between executors. */
  readonly serialisers: readonly Serialiser[]
  /** Needed to run in more than one process; `undefined` = this process only. */
  readonly code: CodeRef | undefined
}

export interface ApplicationOptions {
  profile?: ProfileName | (Partial<Profile> & { base?: ProfileName })
  config?: Readonly<Record<string, unknown>>
  serialisers?: readonly Serialiser[]
  code?: CodeRef
}

/** Makes an application of a DAG. Throws a UserError that lists every mistake in the DAG. */
export function application(name: string, dag: Dag, options: ApplicationOptions = {}): Application {
  const problems: Problem[] = [
    ...dagProblems(dag),
    ...profileProblems(options.profile),
    ...serialiserProblems(options.serialisers),
  ]
  if (typeof name !== 'string' || name === '' || /[/.:\\]/.test(name)) {
    problems.push({
      place: 'application',
      message: `"${name}" is no name`,
      hint: 'leave out / . : and \\',
    })
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', `application "${name}"`, problems)
  return {
    name,
    dag,
    profile: profileOf(options.profile),
    config: options.config ?? {},
    serialisers: options.serialisers ?? [],
    code: options.code,
  }
}

// A file is run without being checked by the compiler: anything may have been given.
function dagProblems(dag: Dag): readonly Problem[] {
  if (Array.isArray(dag?.processors) && Array.isArray(dag.edges)) return validateDag(dag)
  const hint = 'write application(name, graph(lines.to(split).to(count)))'
  return [{ place: 'application', message: 'its second argument is no graph', hint }]
}

// All executors make theirs when they start, too late for a message that everybody reads.
function serialiserProblems(serialisers: readonly Serialiser[] = []): Problem[] {
  try {
    new Serialisers(serialisers)
    return []
  } catch (thrown) {
    const { message, hint } = asError(thrown) as Partial<EngineError> & Error
    return [{ place: 'serialisers', message, ...(hint === undefined ? {} : { hint }) }]
  }
}

function profileOf(choice: ApplicationOptions['profile']): Profile {
  if (choice === undefined) return balanced
  if (typeof choice === 'string') return PROFILES[choice]
  const { base = 'balanced', ...own } = choice
  const given = Object.entries(own).filter(([, value]) => value !== undefined)
  return { ...PROFILES[base], ...Object.fromEntries(given) }
}

/** One argument that `gear run FILE -- --name value` fills. */
export interface ArgumentSpec {
  readonly type?: 'string' | 'number' | 'boolean'
  readonly required?: boolean
  readonly default?: string | number | boolean
  readonly description?: string
}

export type Arguments = Readonly<Record<string, string | number | boolean | undefined>>

/** What a module exports to be run with arguments: `export default program({ … })`. */
export interface Program {
  readonly kind: 'program'
  readonly args: Readonly<Record<string, ArgumentSpec>>
  readonly build: (args: never) => unknown
}

type ValueOf<S extends ArgumentSpec> = S['type'] extends 'number'
  ? number
  : S['type'] extends 'boolean'
    ? boolean
    : string

type ValuesOf<S extends Readonly<Record<string, ArgumentSpec>>> = {
  readonly [K in keyof S]: S[K] extends { required: true } | { default: string | number | boolean }
    ? ValueOf<S[K]>
    : ValueOf<S[K]> | undefined
}

/**
 * Declares the arguments of an application and how it is built from them.
 *
 * @example
 * export default program({
 *   args: { split: { type: 'number', default: 4, description: 'tasks of the splitter' } },
 *   build: ({ split }) => application('words', graph(…)),
 * })
 */
export function program<const S extends Readonly<Record<string, ArgumentSpec>>>(options: {
  args: S
  build: (args: ValuesOf<S>) => unknown
}): Program {
  return { kind: 'program', args: options.args, build: options.build }
}
