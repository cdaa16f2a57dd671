// A bolt with windows and state over checkpoints, of Storm 1.0 and later. Submitted by JvmTour under its class name.
import java.io.File;
import java.util.Map;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.state.KeyValueState;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.topology.base.BaseStatefulWindowedBolt;
import org.apache.storm.topology.base.BaseWindowedBolt.Count;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;
import org.apache.storm.windowing.TupleWindow;

@SuppressWarnings({"rawtypes", "unchecked", "serial"})
public final class JvmWindows {
  /** Tuples of a window. */
  static final int WINDOW = 10;

  public static StormTopology topology() {
    return topology(new Sum().withTumblingWindow(new Count(WINDOW)).withMessageIdField("n"));
  }

  static StormTopology topology(BaseStatefulWindowedBolt bolt) {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("longs", new Longs(), 1);
    builder.setBolt("sum", bolt, 1).shuffleGrouping("longs");
    return builder.createTopology();
  }

  /** Numbers from 0 with ids, and one more window of them when the file "more" is there; those that fail are emitted again. */
  public static class Longs extends BaseRichSpout {
    private transient SpoutOutputCollector collector;
    private transient Map conf;
    private transient long next;

    @Override
    public void open(Map conf, TopologyContext context, SpoutOutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
    }

    @Override
    public void nextTuple() {
      int more = new File((String) conf.get("tour.dir"), "more").exists() ? WINDOW : 0;
      if (next < JvmTour.setting(conf, "tour.count", 50) + more) emit(next++);
    }

    private void emit(long number) {
      collector.emit(new Values(number), number);
    }

    @Override
    public void ack(Object id) {
      JvmTour.note(conf, "acked", id.toString());
    }

    @Override
    public void fail(Object id) {
      JvmTour.note(conf, "failed", id.toString());
      emit((Long) id);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("n"));
    }
  }

  /** Adds up its windows; the sum is its state. */
  public static class Sum extends BaseStatefulWindowedBolt<KeyValueState<String, Long>> {
    /** Of the process: the next one of these does not throw. */
    private static boolean thrown;
    private transient Map conf;
    private transient KeyValueState<String, Long> state;

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      this.conf = conf;
    }

    @Override
    public void initState(KeyValueState<String, Long> state) {
      this.state = state;
      JvmTour.note(conf, "state", "begins with " + state.get("sum", 0L));
    }

    @Override
    public void execute(TupleWindow window) {
      long sum = state.get("sum", 0L);
      int tuples = 0;
      for (Tuple tuple : window.get()) {
        sum += tuple.getLongByField("n");
        tuples++;
      }
      if (sum == JvmTour.setting(conf, "tour.throw.at", -1) && !thrown) {
        thrown = true;
        throw new IllegalStateException("a window too many");
      }
      state.put("sum", sum);
      JvmTour.note(conf, "windows", tuples + " " + sum);
    }

    @Override
    public void preCommit(long transaction) {
      JvmTour.note(conf, "state", "keeps " + state.get("sum", 0L));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
