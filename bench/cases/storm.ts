// TypeScript spouts and bolts through the Storm translation, with the peer's settings where it has any.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Application } from 'gearpump'
import type { Case } from '../harness/case.ts'
import { measure } from '../harness/measure.ts'
import { type StormInput, stormSolApp, wordCountApp } from '../storm-apps.ts'

/** topology.max.spout.pending of the peer's tuned acked cases. */
const PENDING = 5000

function storm(
  name: string,
  about: string,
  acked: boolean,
  build: (input: StormInput) => Application,
): Case {
  return {
    name,
    about,
    run: async timing => {
      const folder = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
      const pending = acked ? { maxSpoutPending: PENDING } : {}
      try {
        const { figures } = await measure(build({ acked, folder, ...pending }), timing)
        return [{ case: name, ...figures, ...pending }]
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

export const stormCases: readonly Case[] = [
  storm('storm-sol', '100-byte strings, 1 spout + 1 bolt, unacked', false, stormSolApp),
  storm('storm-sol-acked', 'the same, every tuple acked', true, stormSolApp),
  storm('wc-acked', '10-word sentences, split, count; words, acked', true, wordCountApp),
]
