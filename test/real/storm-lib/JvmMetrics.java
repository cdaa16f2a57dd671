// A topology whose bolts register metrics, and consumers of its own for them, in the settings as Storm's Config writes them. Submitted by
// JvmTour under its class name; for every line of Storm.
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.metric.LoggingMetricsConsumer;
import org.apache.storm.metric.api.CountMetric;
import org.apache.storm.metric.api.MultiCountMetric;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;

@SuppressWarnings({"rawtypes", "unchecked", "serial"})
public final class JvmMetrics {
  public static StormTopology topology() {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("numbers", new JvmTour.Numbers(), 1);
    builder.setBolt("counted", new Counted(), 2).shuffleGrouping("numbers");
    return builder.createTopology();
  }

  static void register(Map conf) {
    Config config = new Config();
    config.registerMetricsConsumer(JvmConsumer.class, "an argument", 1);
    Map first = (Map) ((List) config.get(Config.TOPOLOGY_METRICS_CONSUMER_REGISTER)).get(0);
    Object other = conf.get("tour.consumer");
    if (other != null) first.put("class", other);
    if (JvmTour.setting(conf, "tour.filter", 0) == 1) {
      first.put("expandMapType", true);
      first.put("metricNameSeparator", "/");
      first.put("blacklist", Arrays.asList("see.*", ".*of1"));
    }
    config.registerMetricsConsumer(LoggingMetricsConsumer.class, 1);
    conf.putAll(config);
  }

  public static class Counted extends BaseRichBolt {
    private transient OutputCollector collector;
    private transient CountMetric seen;
    private transient MultiCountMetric rests;

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      this.collector = collector;
      seen = context.registerMetric("seen", new CountMetric(), 1);
      rests = context.registerMetric("rests", new MultiCountMetric(), 2);
    }

    @Override
    public void execute(Tuple tuple) {
      seen.incr();
      rests.scope("of" + tuple.getInteger(0) / 2 % 2).incr();
      collector.ack(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
