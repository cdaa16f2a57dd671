// All cases, in the order in which they run.

import { firstTupleCase } from '../cases/first-tuple.ts'
import { jvmCase } from '../cases/jvm.ts'
import { kafkaCases } from '../cases/kafka.ts'
import { latencyCases } from '../cases/latency.ts'
import { nativeCases } from '../cases/native.ts'
import { progressCase } from '../cases/progress.ts'
import { pythonCases } from '../cases/python.ts'
import { stormCases } from '../cases/storm.ts'
import type { Case } from './case.ts'

export const cases: readonly Case[] = [
  ...nativeCases,
  ...stormCases,
  ...pythonCases,
  ...latencyCases,
  firstTupleCase,
  progressCase,
  ...kafkaCases,
  jvmCase,
]
