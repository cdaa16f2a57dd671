// Storm's exceptions. Each has a text and nothing else.
import { exception } from './codec.ts'
import { string } from './wire-types.ts'

export const AlreadyAliveException = exception('AlreadyAliveException', {
  msg: [1, string],
})

export const NotAliveException = exception('NotAliveException', {
  msg: [1, string],
})

export const AuthorizationException = exception('AuthorizationException', {
  msg: [1, string],
})

export const InvalidTopologyException = exception('InvalidTopologyException', {
  msg: [1, string],
})

export const KeyNotFoundException = exception('KeyNotFoundException', {
  msg: [1, string],
})

export const KeyAlreadyExistsException = exception('KeyAlreadyExistsException', {
  msg: [1, string],
})

export const IllegalStateException = exception('IllegalStateException', {
  msg: [1, string],
})
