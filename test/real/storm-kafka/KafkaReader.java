// Storm's own KafkaSpout in Storm's own LocalCluster: reads a topic and writes what it read to a file, one "partition offset" per
// line; everything is acked but the records that are named as held. Runs until it is killed, or until its input ends.
//
//   KafkaReader SERVERS TOPIC GROUP STRATEGY FILE [PARTITION:OFFSET...]
import java.io.FileWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.kafka.spout.FirstPollOffsetStrategy;
import org.apache.storm.kafka.spout.KafkaSpout;
import org.apache.storm.kafka.spout.KafkaSpoutConfig;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;

public class KafkaReader {
  private static final int COMMIT_MS = 500;

  public static class Write extends BaseRichBolt {
    private final String file;
    private final Set<String> held;
    private transient OutputCollector collector;
    private transient FileWriter out;

    Write(String file, Set<String> held) {
      this.file = file;
      this.held = held;
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
      this.collector = collector;
      try {
        out = new FileWriter(file, true);
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void execute(Tuple tuple) {
      Integer partition = tuple.getIntegerByField("partition");
      Long offset = tuple.getLongByField("offset");
      try {
        out.write(partition + " " + offset + "\n");
        out.flush();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      if (!held.contains(partition + ":" + offset)) collector.ack(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }

  public static void main(String[] args) throws Exception {
    KafkaSpoutConfig<String, String> spout =
        KafkaSpoutConfig.builder(args[0], args[1])
            .setProp("group.id", args[2])
            .setFirstPollOffsetStrategy(FirstPollOffsetStrategy.valueOf(args[3]))
            .setOffsetCommitPeriodMs(COMMIT_MS)
            .build();
    Set<String> held = new HashSet<>(Arrays.asList(args).subList(5, args.length));
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("records", new KafkaSpout<>(spout));
    builder.setBolt("write", new Write(args[4], held)).shuffleGrouping("records");
    Map<String, Object> conf = new HashMap<>();
    conf.put(Config.TOPOLOGY_MESSAGE_TIMEOUT_SECS, 600);
    try (LocalCluster cluster = new LocalCluster()) {
      cluster.submitTopology("reader", conf, builder.createTopology());
      while (System.in.read() >= 0) {}
    }
    System.exit(0);
  }
}
