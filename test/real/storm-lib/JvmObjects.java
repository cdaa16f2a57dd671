// A topology whose components are named by class and arguments (Thrift's JavaObject), as clients in other languages have them: nothing of
// them is serialised. Submitted by JvmTour under its class name; for every line of Storm.
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.apache.storm.generated.ComponentObject;
import org.apache.storm.generated.Grouping;
import org.apache.storm.generated.JavaObject;
import org.apache.storm.generated.JavaObjectArg;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;

@SuppressWarnings({"rawtypes", "unchecked", "serial"})
public final class JvmObjects {
  public static StormTopology topology() {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("numbers", new JvmTour.Numbers(), 1);
    builder.setBolt("join", new Join(0, 0, "", false, new byte[0], 0), 3).customGrouping("numbers", new JvmTour.Modulo());
    StormTopology topology = builder.createTopology();
    topology.get_spouts().get("numbers").set_spout_object(object(JvmTour.Numbers.class));
    JavaObjectArg[] arguments = {
      JavaObjectArg.int_arg(7), JavaObjectArg.long_arg(1L << 40), JavaObjectArg.string_arg("h\u00e4\u00dfe"),
      JavaObjectArg.bool_arg(true), JavaObjectArg.binary_arg(ByteBuffer.wrap(new byte[] {1, -1})),
      JavaObjectArg.double_arg(3)
    };
    topology.get_bolts().get("join").set_bolt_object(object(Join.class, arguments));
    JavaObject grouping = new JavaObject(JvmTour.Modulo.class.getName(), Arrays.<JavaObjectArg>asList());
    Map inputs = topology.get_bolts().get("join").get_common().get_inputs();
    inputs.put(inputs.keySet().iterator().next(), Grouping.custom_object(grouping));
    return topology;
  }

  private static ComponentObject object(Class<?> type, JavaObjectArg... arguments) {
    return ComponentObject.java_object(new JavaObject(type.getName(), Arrays.asList(arguments)));
  }

  /** Notes what it was made with, and what comes. */
  public static class Join extends BaseRichBolt {
    private final String made;
    private transient OutputCollector collector;
    private transient Map conf;
    private transient int task;

    public Join(int number, long large, String text, boolean flag, byte[] bytes, double real) {
      made = number + " " + large + " " + text + " " + flag + " " + Arrays.toString(bytes) + " " + real;
    }

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
      task = context.getThisTaskIndex();
      JvmTour.note(conf, "made", made);
    }

    @Override
    public void execute(Tuple tuple) {
      JvmTour.note(conf, "join", tuple.getInteger(0) + " " + task);
      collector.ack(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
