// Every `topology.*` setting of Storm 0.9 to 2.8 (and the few others that a topology may carry): its type, Storm's
// default, and what happens to it here. settings.ts reads this table to merge and to check; docs/storm-settings.md is
// printed from it. The rows are facts, not code.
import type { Row, Setting, Treatment } from './setting-row.ts'
import { honoured } from './settings-honoured.ts'
import { ignored, refused } from './settings-ignored.ts'

function settings(treatment: Treatment, rows: readonly Row[]): Setting[] {
  return rows.map(([key, type, fallback, note]) => ({
    key,
    type,
    default: fallback,
    treatment,
    note,
  }))
}

/** The table, by key. */
export const settingsTable: ReadonlyMap<string, Setting> = new Map(
  [
    ...settings('honoured', honoured),
    ...settings('refused', refused),
    ...settings('ignored', ignored),
  ].map(setting => [setting.key, setting]),
)

/** Settings that Storm does not accept as null; for all others null means "not set". */
export const neverNull: ReadonlySet<string> = new Set([
  'topology.message.timeout.secs',
  'topology.shellbolt.max.pending',
  'topology.disable.loadaware.messaging',
  'topology.localityaware.higher.bound',
  'topology.localityaware.lower.bound',
  'topology.scheduler.strategy',
  'topology.state.synchronization.timeout.secs',
  'topology.producer.batch.size',
  'topology.executor.overflow.limit',
  'topology.backpressure.check.millis',
  'topology.batch.flush.interval.millis',
  'topology.spout.recvq.skips',
])
