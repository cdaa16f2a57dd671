// What an unmodified Java client (Storm's own storm-client) does with a Nimbus: submits a topology of shell components by
// StormSubmitter, looks at it by NimbusClient, and kills it; and submits one that needs a JVM. Prints a line per finding.
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.StormSubmitter;
import org.apache.storm.generated.Bolt;
import org.apache.storm.generated.ComponentCommon;
import org.apache.storm.generated.ComponentObject;
import org.apache.storm.generated.GlobalStreamId;
import org.apache.storm.generated.Grouping;
import org.apache.storm.generated.KillOptions;
import org.apache.storm.generated.Nimbus;
import org.apache.storm.generated.NotAliveException;
import org.apache.storm.generated.NullStruct;
import org.apache.storm.generated.RebalanceOptions;
import org.apache.storm.generated.ShellComponent;
import org.apache.storm.generated.SpoutSpec;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.generated.StreamInfo;
import org.apache.storm.generated.TopologyPageInfo;
import org.apache.storm.generated.TopologySummary;
import org.apache.storm.thrift.TApplicationException;
import org.apache.storm.topology.BasicOutputCollector;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseBasicBolt;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

public final class NimbusTour {
  public static void main(String[] args) throws Exception {
    System.setProperty("storm.jar", args[1]);
    Map<String, Object> conf = new HashMap<>();
    conf.put(Config.NIMBUS_SEEDS, List.of("localhost"));
    conf.put(Config.NIMBUS_THRIFT_PORT, Integer.parseInt(args[0]));
    conf.put(Config.STORM_NIMBUS_RETRY_TIMES, 1);
    conf.put("collect.file", args[2]);
    if (args.length == 4) speakTls(conf, args[3]);
    if (args.length == 5) {
      conf.put(Config.STORM_THRIFT_TRANSPORT_PLUGIN, args[3]);
      conf.put("java.security.auth.login.config", args[4]);
    }

    StormSubmitter.submitTopology("tour", conf, shellTopology());
    Map<String, Object> whole = Utils.readStormConfig();
    whole.putAll(conf);
    NimbusClient.withConfiguredClient(NimbusTour::look, whole);
    refusedSubmission(conf);
    System.exit(0);
  }

  private static void speakTls(Map<String, Object> conf, String folder) {
    conf.put(Config.NIMBUS_THRIFT_CLIENT_USE_TLS, true);
    conf.put(Config.NIMBUS_THRIFT_TLS_PORT, conf.get(Config.NIMBUS_THRIFT_PORT));
    conf.put(Config.NIMBUS_THRIFT_TLS_CLIENT_KEYSTORE_PATH, folder + "/client.p12");
    conf.put(Config.NIMBUS_THRIFT_TLS_CLIENT_KEYSTORE_PASSWORD, "changeit");
    conf.put(Config.NIMBUS_THRIFT_TLS_CLIENT_TRUSTSTORE_PATH, folder + "/trust.p12");
    conf.put(Config.NIMBUS_THRIFT_TLS_CLIENT_TRUSTSTORE_PASSWORD, "changeit");
  }

  private static void look(Nimbus.Iface nimbus) throws Exception {
    TopologySummary tour = nimbus.getTopologySummaryByName("tour");
    say("submitted", tour.get_status() + " " + tour.get_num_tasks());
    say("owner", tour.get_owner());
    String id = tour.get_id();
    Map<String, Long> acked;
    do {
      Thread.sleep(50);
      TopologyPageInfo page = nimbus.getTopologyPageInfo(id, ":all-time", false);
      acked = page.get_topology_stats().get_window_to_acked();
    } while (acked.get(":all-time") < 200);
    say("acked", acked.get("600"));
    say("executors", nimbus.getTopologyInfoByName("tour").get_executors_size());
    say("own", nimbus.getUserTopology(id).get_bolts().keySet().stream().sorted().toList());
    say("version", nimbus.getTopology(id).get_storm_version());
    nimbus.deactivate("tour");
    say("deactivated", nimbus.getClusterInfo().get_topologies().get(0).get_status());
    nimbus.activate("tour");
    RebalanceOptions options = new RebalanceOptions();
    options.set_wait_secs(0);
    options.put_to_num_executors("split", 1);
    nimbus.rebalance("tour", options);
    while (!nimbus.getTopologySummary(id).get_status().equals("ACTIVE")) Thread.sleep(50);
    say("rebalanced", nimbus.getTopologySummary(id).get_num_executors());
    try {
      nimbus.debug("tour", "split", true, 10);
    } catch (TApplicationException refusal) {
      say("refused", refusal.getMessage());
    }
    KillOptions kill = new KillOptions();
    kill.set_wait_secs(0);
    nimbus.killTopologyWithOpts("tour", kill);
    while (!nimbus.getTopologySummaries().isEmpty()) Thread.sleep(50);
    try {
      nimbus.killTopology("tour");
    } catch (NotAliveException dead) {
      say("dead", dead.get_msg());
    }
  }

  private static void refusedSubmission(Map<String, Object> conf) throws Exception {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setBolt("java", new JavaBolt());
    StormTopology topology = builder.createTopology();
    topology.put_to_spouts("sentences", shellTopology().get_spouts().get("sentences"));
    try {
      StormSubmitter.submitTopology("java", conf, topology);
    } catch (Exception refusal) {
      String text = refusal.getMessage() == null ? refusal.toString() : refusal.getMessage();
      say("java", refusal.getClass().getSimpleName() + " " + text.replace('\n', ' '));
    }
  }

  private static StormTopology shellTopology() {
    StormTopology topology = new StormTopology(new HashMap<>(), new HashMap<>(), new HashMap<>());
    topology.put_to_spouts(
        "sentences", new SpoutSpec(shell("sentences.py"), common("sentence", 1)));
    ComponentCommon split = common("word", 2);
    split.put_to_inputs(new GlobalStreamId("sentences", "default"), Grouping.shuffle(new NullStruct()));
    topology.put_to_bolts("split", new Bolt(shell("split.py"), split));
    ComponentCommon collect = common(null, 2);
    collect.put_to_inputs(new GlobalStreamId("split", "default"), Grouping.fields(List.of("word")));
    topology.put_to_bolts("collect", new Bolt(shell("collect.py"), collect));
    return topology;
  }

  private static ComponentObject shell(String script) {
    return ComponentObject.shell(new ShellComponent("python3", script));
  }

  private static ComponentCommon common(String field, int executors) {
    ComponentCommon common = new ComponentCommon(new HashMap<>(), new HashMap<>());
    if (field != null) common.put_to_streams("default", new StreamInfo(List.of(field), false));
    common.set_parallelism_hint(executors);
    return common;
  }

  private static void say(String what, Object found) {
    System.out.println(what + ": " + found);
  }

  public static final class JavaBolt extends BaseBasicBolt {
    @Override
    public void execute(Tuple input, BasicOutputCollector collector) {}

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
