// The cluster at full size: leaders and executors killed under a paced flow, very many tasks, very many applications. What
// runs is in test/chaos, and the same in small in test/e2e/cluster.
import { executorKills } from '../../chaos/executor-kills.ts'
import { leaderKills as killLeaders } from '../../chaos/leader-kills.ts'
import { manyTasks as startMany, manyApps as submitMany } from '../../chaos/limits.ts'
import { part } from '../../real/parts.ts'
import { Findings } from '../findings.ts'

/** A leader that died is replaced 3 s after its last sign of life; the rest is election and submission. */
const GAP_MAX_MS = 5000
const RESUME_MAX_MS = 2000
const START_MAX_MS = 5000
const MASTER_MB_MAX = 200
const RATE_PART_MIN = 0.9

export async function leaderKills(kills: number, perSecond: number): Promise<Findings> {
  const findings = new Findings()
  const etcd = part('etcd')
  if ('missing' in etcd) {
    findings.expect(false, etcd.missing)
    return findings
  }
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const result = await killLeaders({ etcd: etcd.program!, kills, perSecond, say })
  findings.note('kills', result.kills)
  findings.atMost('longest_gap_ms', result.longestGapMs, GAP_MAX_MS)
  findings.note('per_s_before', result.perSecondBefore)
  findings.note('longest_silence_ms', result.longestSilenceMs)
  findings.atLeast('per_s_during', result.perSecondDuring, RATE_PART_MIN * perSecond)
  return findings
}

export async function executorKill(perSecond: number): Promise<Findings> {
  const findings = new Findings()
  const [result] = await executorKills([perSecond])
  findings.note('per_s_before', result!.perSecondBefore)
  findings.note('per_s_after', result!.perSecondAfter)
  findings.atMost('silence_ms', result!.silenceMs, RESUME_MAX_MS)
  return findings
}

export async function manyTasks(tasks: number): Promise<Findings> {
  const findings = new Findings()
  const { startMs } = await startMany(tasks)
  findings.note('tasks', tasks)
  findings.atMost('start_ms', startMs, START_MAX_MS)
  return findings
}

export async function manyApps(apps: number): Promise<Findings> {
  const findings = new Findings()
  const result = await submitMany(apps)
  findings.atLeast('listed', result.listed, apps)
  findings.atLeast('active', result.active, apps)
  findings.atLeast('stopped', result.stopped, apps)
  findings.note('submit_ms_max', result.submitMsMax)
  findings.atMost('master_rss_mb', result.masterRssMb, MASTER_MB_MAX)
  return findings
}
