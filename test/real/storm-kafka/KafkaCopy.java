// Storm's KafkaSpout, a Python child and Storm's KafkaBolt in Storm's LocalCluster: what examples/kafka-to-kafka is
// in a Flux file. For the benchmark. The folder `resources` with turn.py is on the class path. Runs until its input
// ends.
//
//   KafkaCopy SERVERS FROM TO GROUP
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.kafka.bolt.KafkaBolt;
import org.apache.storm.kafka.bolt.mapper.FieldNameBasedTupleToKafkaMapper;
import org.apache.storm.kafka.bolt.selector.DefaultTopicSelector;
import org.apache.storm.kafka.spout.KafkaSpout;
import org.apache.storm.kafka.spout.KafkaSpoutConfig;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.tuple.Fields;

public class KafkaCopy {
  public static class Turn extends ShellBolt implements IRichBolt {
    Turn() {
      super("python3", "turn.py");
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("key", "message"));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  public static void main(String[] args) throws Exception {
    KafkaSpoutConfig<String, String> spout =
        KafkaSpoutConfig.builder(args[0], args[1]).setProp("group.id", args[3]).build();
    Properties producer = new Properties();
    producer.put("bootstrap.servers", args[0]);
    producer.put("acks", "all");
    producer.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    producer.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    KafkaBolt<String, String> out =
        new KafkaBolt<String, String>()
            .withProducerProperties(producer)
            .withTopicSelector(new DefaultTopicSelector(args[2]))
            .withTupleToKafkaMapper(new FieldNameBasedTupleToKafkaMapper<>("key", "message"));
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("lines", new KafkaSpout<>(spout), 2);
    builder.setBolt("turn", new Turn(), 2).shuffleGrouping("lines");
    builder.setBolt("out", out, 2).fieldsGrouping("turn", new Fields("key"));
    Map<String, Object> conf = new HashMap<>();
    conf.put(Config.TOPOLOGY_MAX_SPOUT_PENDING, 500);
    conf.put(Config.TOPOLOGY_MESSAGE_TIMEOUT_SECS, 60);
    try (LocalCluster cluster = new LocalCluster()) {
      cluster.submitTopology("copy", conf, builder.createTopology());
      while (System.in.read() >= 0) {}
    }
    System.exit(0);
  }
}
