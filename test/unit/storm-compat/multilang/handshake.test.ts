import test from 'ava'
import { handshake } from '../../../../storm-compat/multilang/handshake.ts'
import { contextFrom, SPLIT_CONTEXT } from './support.ts'

test('P7, P8: the whole conf, eight keys of context with the acker in it, and pidDir beside them', t => {
  const conf = { 'topology.name': 't', 'x.null': null, 'my.comp.conf': 'hello' }
  const { context } = contextFrom()
  t.deepEqual(handshake(conf, context, '/pids'), { pidDir: '/pids', conf, context: SPLIT_CONTEXT })
})

test('P9: a global grouping is FIELDS with no fields, others have none, and unsubscribed streams are listed', t => {
  const message = {
    ...SPLIT_CONTEXT,
    'source->stream->grouping': {
      sp: { side: { type: 'FIELDS', fields: [] }, default: { type: 'ALL' } },
    },
    'source->stream->fields': { sp: { side: ['q'], default: ['s'], unheard: [] } },
    'stream->target->grouping': {},
  }
  const { context } = contextFrom(message)
  t.deepEqual((handshake({}, context, '/p') as { context: unknown }).context, message)
})
