// Reach with its first two bolts in Python: shell bolts stand in a linear DRPC topology like any others, for the first value of
// each tuple is the id of the request and they hand it on. Counting stays in TypeScript: a child process is not told when a
// request has come to its end.
import { LinearDRPCTopologyBuilder, shellBolt } from 'gearpump/storm'
import { CountAggregator, PartialUniquer } from './reach.ts'

/** The function `reach`, with `tasks` processes of each Python bolt. */
export function pythonReachBuilder(tasks = 2): LinearDRPCTopologyBuilder {
  const builder = new LinearDRPCTopologyBuilder('reach')
  builder.addBolt(shellBolt(['python3', 'get_tweeters.py'], ['id', 'tweeter']), tasks)
  builder
    .addBolt(shellBolt(['python3', 'get_followers.py'], ['id', 'follower']), tasks)
    .shuffleGrouping()
  builder.addBolt(() => new PartialUniquer(), 6).fieldsGrouping(['id', 'follower'])
  builder.addBolt(() => new CountAggregator(), 3).fieldsGrouping(['id'])
  return builder
}

export default pythonReachBuilder().createRemoteTopology('reach-python', {
  'drpc.servers': ['localhost'],
})
