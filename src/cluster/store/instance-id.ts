// A name for one life of something: a master that was started again is another one. Pure, given the environment's
// chance.
import type { Environment } from '../../base/environment.ts'

/** 64 random bits as text. */
export function randomId(environment: Environment): string {
  const half = () =>
    Math.floor(environment.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return half() + half()
}
