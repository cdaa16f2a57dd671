// Submits, by Storm's own StormSubmitter, a topology of nothing but Storm's Kafka components: KafkaSpout to KafkaBolt.
//
//   KafkaSubmit NIMBUS_PORT JAR SERVERS FROM TO GROUP
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import org.apache.storm.Config;
import org.apache.storm.StormSubmitter;
import org.apache.storm.kafka.bolt.KafkaBolt;
import org.apache.storm.kafka.bolt.mapper.FieldNameBasedTupleToKafkaMapper;
import org.apache.storm.kafka.bolt.selector.DefaultTopicSelector;
import org.apache.storm.kafka.spout.KafkaSpout;
import org.apache.storm.kafka.spout.KafkaSpoutConfig;
import org.apache.storm.topology.TopologyBuilder;

public class KafkaSubmit {
  public static void main(String[] args) throws Exception {
    System.setProperty("storm.jar", args[1]);
    Map<String, Object> conf = new HashMap<>();
    conf.put(Config.NIMBUS_SEEDS, List.of("localhost"));
    conf.put(Config.NIMBUS_THRIFT_PORT, Integer.parseInt(args[0]));
    conf.put(Config.STORM_NIMBUS_RETRY_TIMES, 1);
    KafkaSpoutConfig<String, String> spout =
        KafkaSpoutConfig.builder(args[2], Pattern.compile(Pattern.quote(args[3])))
            .setProp("group.id", args[5])
            .setOffsetCommitPeriodMs(500)
            .build();
    Properties producer = new Properties();
    producer.put("bootstrap.servers", args[2]);
    producer.put("acks", "all");
    producer.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    producer.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    KafkaBolt<String, String> bolt =
        new KafkaBolt<String, String>()
            .withProducerProperties(producer)
            .withTopicSelector(new DefaultTopicSelector(args[4]))
            .withTupleToKafkaMapper(new FieldNameBasedTupleToKafkaMapper<>("key", "value"));
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("records", new KafkaSpout<>(spout), 2);
    builder.setBolt("out", bolt, 2).shuffleGrouping("records");
    StormSubmitter.submitTopology("copy", conf, builder.createTopology());
    System.exit(0);
  }
}
