// Native DAGs: speed of light in one executor and over two, and the same with many tasks.

import type { Case } from '../harness/case.ts'
import { measure } from '../harness/measure.ts'
import { type SolInput, solApp } from '../sol-app.ts'

function sol(name: string, about: string, input: SolInput, executors = 1): Case {
  return {
    name,
    about,
    run: async timing => {
      const { figures } = await measure(solApp(input), timing, { executors })
      return [{ case: name, ...figures, tasks: input.tasks * 2, executors }]
    },
  }
}

const unacked = { acked: false, tasks: 1 }
const acked = { acked: true, tasks: 1 }

export const nativeCases: readonly Case[] = [
  sol('sol', '100-byte strings, 1 source + 1 sink, one executor', unacked),
  sol('sol-acked', 'the same, every message acked', acked),
  sol('sol-2x', '100-byte strings over two executor processes', unacked, 2),
  sol('sol-2x-acked', 'the same, every message acked', acked, 2),
  sol('tasks-100', '50 sources + 50 sinks, shuffle, one executor', { acked: false, tasks: 50 }),
  sol('tasks-10000', '5,000 sources + 5,000 sinks', { acked: false, tasks: 5000 }),
]
