// The door for those who write connectors and translation layers: everything storm-compat and connectors may use.
export {
  asError,
  assertNever,
  EngineError,
  invariant,
  nearestName,
  type Problem,
  UserError,
} from './base/errors.ts'
