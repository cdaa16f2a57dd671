// Components that start a process and do more than that in Java: they override what Storm calls while the topology runs. Beside them one
// that does not. Submitted by JvmTour under its class name; for every line of Storm.
import java.util.Map;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.spout.ShellSpout;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.BasicOutputCollector;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseBasicBolt;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;

@SuppressWarnings({"rawtypes", "unchecked", "serial"})
public final class JvmShells {
  public static StormTopology topology() {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("sentences", new JvmTour.Sentences(), 1);
    builder.setSpout("numbers", new Numbers(), 1);
    builder.setBolt("split", new JvmTour.Split(), 1).shuffleGrouping("sentences");
    builder.setBolt("loud", new Louder(), 1).shuffleGrouping("sentences");
    builder.setBolt("late", new Late(), 1).shuffleGrouping("sentences");
    builder.setBolt("words", new Words(), 1).shuffleGrouping("split").shuffleGrouping("loud").shuffleGrouping("late")
        .shuffleGrouping("numbers");
    return builder.createTopology();
  }

  /** Notes each tuple before its process gets it. */
  public static class Loud extends ShellBolt implements IRichBolt {
    private transient Map conf;

    public Loud() {
      super("python3", "splitsentence.py");
    }

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      this.conf = conf;
      super.prepare(conf, context, collector);
    }

    @Override
    public void execute(Tuple tuple) {
      JvmTour.note(conf, "heard", tuple.getString(0));
      super.execute(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("word"));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  /** Its own class file says nothing of that. */
  public static class Louder extends Loud {}

  /** Knows its command only when it is prepared. */
  public static class Late extends ShellBolt implements IRichBolt {
    private transient ShellBolt process;

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      process = new ShellBolt("python3", "splitsentence.py");
      process.prepare(conf, context, collector);
    }

    @Override
    public void execute(Tuple tuple) {
      process.execute(tuple);
    }

    @Override
    public void cleanup() {
      process.cleanup();
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("word"));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  /** Notes what was acked. */
  public static class Numbers extends ShellSpout implements IRichSpout {
    private transient Map conf;

    public Numbers() {
      super("python3", "numbers.py");
    }

    @Override
    public void open(Map conf, TopologyContext context, SpoutOutputCollector collector) {
      this.conf = conf;
      super.open(conf, context, collector);
    }

    @Override
    public void ack(Object id) {
      JvmTour.note(conf, "numbers", String.valueOf(id));
      super.ack(id);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("number"));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  public static class Words extends BaseBasicBolt {
    private transient Map conf;

    @Override
    public void prepare(Map conf, TopologyContext context) {
      this.conf = conf;
    }

    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      JvmTour.note(conf, "words", tuple.getSourceComponent() + " " + tuple.getString(0));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
