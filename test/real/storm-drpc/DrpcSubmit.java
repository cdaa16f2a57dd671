// Submits topologies that Storm's own LinearDRPCTopologyBuilder makes around shell bolts, by StormSubmitter: `split-join` (a shell bolt,
// and one that is fair among requests) and one with a bolt in Java, which is refused. Then calls the function by DRPCClient. Run as a
// single source file with storm-client on the class path. Prints a line per finding.
import java.util.Map;
import java.util.HashMap;
import java.util.List;
import org.apache.storm.StormSubmitter;
import org.apache.storm.drpc.KeyedFairBolt;
import org.apache.storm.drpc.LinearDRPCTopologyBuilder;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.topology.BasicOutputCollector;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseBasicBolt;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.utils.DRPCClient;
import org.apache.storm.utils.Utils;

public final class DrpcSubmit {
  public static void main(String[] args) throws Exception {
    System.setProperty("storm.jar", args[2]);
    Map<String, Object> conf = new HashMap<>();
    conf.put("nimbus.seeds", List.of("localhost"));
    conf.put("nimbus.thrift.port", Integer.parseInt(args[0]));
    conf.put("storm.nimbus.retry.times", 1);

    LinearDRPCTopologyBuilder shells = new LinearDRPCTopologyBuilder("shout");
    shells.addBolt(new Shell("upper.py", "id", "text"), 2);
    shells.addBolt((IRichBolt) new KeyedFairBolt(new Shell("mark.py", "id", "text")), 2).fieldsGrouping(new Fields("id"));
    StormSubmitter.submitTopology("shouting", conf, shells.createRemoteTopology());
    System.out.println("submitted: shouting");

    LinearDRPCTopologyBuilder inJava = new LinearDRPCTopologyBuilder("java");
    inJava.addBolt(new JavaBolt(), 1);
    try {
      StormSubmitter.submitTopology("in-java", conf, inJava.createRemoteTopology());
    } catch (Exception e) {
      System.out.println("java: " + String.valueOf(e).replace('\n', ' '));
    }

    Map<String, Object> whole = Utils.readDefaultConfig();
    DRPCClient client = new DRPCClient(whole, "localhost", Integer.parseInt(args[1]));
    System.out.println("first: " + client.execute("shout", "hello"));
    System.out.println("second: " + client.execute("shout", "w\u00fcrld"));
    System.exit(0);
  }

  public static final class Shell extends ShellBolt implements IRichBolt {
    private final String[] fields;

    public Shell(String script, String... fields) {
      super("python3", script);
      this.fields = fields;
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields(fields));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  public static final class JavaBolt extends BaseBasicBolt {
    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("id", "result"));
    }
  }
}
