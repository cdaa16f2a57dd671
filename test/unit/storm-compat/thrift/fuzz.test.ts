// Mutated messages, the same ones each run. Small form; `npm run soak -- thrift-fuzz` sends a million over real connections.
import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { EngineError } from 'gearpump'
import {
  type Methods,
  readArgs,
  readCall,
  writeCall,
} from '../../../../storm-compat/thrift/service.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import { thriftFuzz } from '../../../soak/cases/thrift-fuzz.ts'
import { mutated, randomFrom } from '../../../soak/mutation.ts'

const FIXTURES = new URL('../../../fixtures/thrift/', import.meta.url)
const SEED = 20_261_121
const methods: Methods = nimbusMethods

test('a mutated call is read or refused in words; what was read is written and read the same', t => {
  const messages = readdirSync(FIXTURES)
    .filter(name => /^\w+\.bin$/.test(name))
    .map(name => readFileSync(new URL(name, FIXTURES)))
  const random = randomFrom(SEED)
  let read = 0
  for (let i = 0; i < 6000; i++) {
    const bytes = mutated(messages[Math.floor(random() * messages.length)]!, random)
    try {
      const call = readCall(bytes)
      const method = methods[call.name]
      if (method === undefined) continue
      const first = writeCall(call.name, 1, method, readArgs(call, method))
      const again = writeCall(call.name, 1, method, readArgs(readCall(first.subarray(4)), method))
      if (!first.equals(again)) t.fail(`${bytes.toString('hex')} is not written the same twice`)
      read++
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'THRIFT_INVALID') throw error
    }
  }
  t.true(read > 300, `only ${read} were read`)
})

test('a Nimbus that gets mutated calls goes on answering right ones', async t => {
  const { failures } = await thriftFuzz({ frames: 1000, seed: SEED, growthMbMax: 200 })
  t.deepEqual(failures, [])
})
