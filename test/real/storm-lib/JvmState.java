// A topology with what only newer lines of Storm have: a bolt that keeps state over checkpoints, task hooks of the settings, and
// metrics of its own. Submitted by JvmTour under its class name.
import java.util.Map;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.hooks.BaseTaskHook;
import org.apache.storm.hooks.info.BoltAckInfo;
import org.apache.storm.hooks.info.BoltExecuteInfo;
import org.apache.storm.hooks.info.EmitInfo;
import org.apache.storm.metric.api.CountMetric;
import org.apache.storm.state.KeyValueState;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseStatefulBolt;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

@SuppressWarnings({"rawtypes", "unchecked", "serial"})
public final class JvmState {
  public static StormTopology topology() {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("numbers", new JvmTour.Numbers(), 1);
    builder.setBolt("sum", new Sum(), 1).shuffleGrouping("numbers");
    return builder.createTopology();
  }

  /** Adds up what comes; its inputs are acked when the sum is kept. */
  public static class Sum extends BaseStatefulBolt<KeyValueState<String, Long>> {
    private transient Map conf;
    private transient OutputCollector collector;
    private transient KeyValueState<String, Long> state;
    private transient CountMetric seen;

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
      seen = context.registerMetric("seen", new CountMetric(), 1);
    }

    @Override
    public void initState(KeyValueState<String, Long> state) {
      this.state = state;
      JvmTour.note(conf, "state", "begins with " + state.get("sum", 0L));
    }

    @Override
    public void execute(Tuple tuple) {
      seen.incr();
      long sum = state.get("sum", 0L) + tuple.getIntegerByField("n");
      state.put("sum", sum);
      collector.emit(tuple, new Values(sum));
      collector.ack(tuple);
    }

    @Override
    public void preCommit(long transaction) {
      JvmTour.note(conf, "state", "keeps " + state.get("sum", 0L));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("sum"));
    }
  }

  /** Notes what it is told, once for each task that has it. */
  public static class Hook extends BaseTaskHook {
    private Map conf;

    @Override
    public void prepare(Map conf, TopologyContext context) {
      this.conf = conf;
      JvmTour.note(conf, "hooks", "prepared for " + context.getThisComponentId());
    }

    @Override
    public void emit(EmitInfo info) {
      JvmTour.note(conf, "hooks", "emit " + info.stream + " " + info.values);
    }

    @Override
    public void boltExecute(BoltExecuteInfo info) {
      JvmTour.note(conf, "hooks", "execute " + info.tuple.getSourceComponent());
    }

    @Override
    public void boltAck(BoltAckInfo info) {
      JvmTour.note(conf, "hooks", "ack " + info.tuple.getSourceComponent());
    }

    @Override
    public void cleanup() {
      JvmTour.note(conf, "hooks", "cleaned up");
    }
  }
}
