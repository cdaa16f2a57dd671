// What an unmodified client of an old line of Storm does with a Nimbus: submits a topology of shell components by
// StormSubmitter, lists it, rebalances it and kills it by NimbusClient. The package is that of the line: `STORM` is replaced
// before this is compiled. Prints a line per finding.
import STORM.Config;
import STORM.StormSubmitter;
import STORM.generated.Bolt;
import STORM.generated.ComponentCommon;
import STORM.generated.ComponentObject;
import STORM.generated.ExecutorSummary;
import STORM.generated.GlobalStreamId;
import STORM.generated.Grouping;
import STORM.generated.KillOptions;
import STORM.generated.Nimbus;
import STORM.generated.NotAliveException;
import STORM.generated.NullStruct;
import STORM.generated.RebalanceOptions;
import STORM.generated.ShellComponent;
import STORM.generated.SpoutSpec;
import STORM.generated.StateSpoutSpec;
import STORM.generated.StormTopology;
import STORM.generated.StreamInfo;
import STORM.generated.TopologyInfo;
import STORM.generated.TopologySummary;
import STORM.utils.NimbusClient;
import STORM.utils.Utils;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

public final class LineTour {
  public static void main(String[] args) throws Exception {
    System.setProperty("storm.jar", args[1]);
    Map<String, Object> conf = new HashMap<String, Object>();
    // 0.9 and 0.10 know the first, later lines the second.
    conf.put("nimbus.host", "localhost");
    conf.put("nimbus.seeds", Arrays.asList("localhost"));
    conf.put(Config.NIMBUS_THRIFT_PORT, Integer.parseInt(args[0]));
    conf.put("collect.file", args[2]);
    StormSubmitter.submitTopology("tour", conf, shellTopology());
    Map whole = Utils.readStormConfig();
    whole.putAll(conf);
    look(NimbusClient.getConfiguredClient(whole).getClient());
    System.exit(0);
  }

  private static void look(Nimbus.Client nimbus) throws Exception {
    TopologySummary tour = summary(nimbus);
    say("submitted", tour.get_status() + " " + tour.get_num_tasks());
    String id = tour.get_id();
    TopologyInfo info = nimbus.getTopologyInfo(id);
    say("listed", info.get_name() + " " + info.get_executors_size());
    say("own", nimbus.getUserTopology(id).get_bolts_size());
    while (acked(nimbus.getTopologyInfo(id)) < 200) Thread.sleep(50);
    say("acked", acked(nimbus.getTopologyInfo(id)));
    nimbus.deactivate("tour");
    say("deactivated", summary(nimbus).get_status());
    nimbus.activate("tour");
    RebalanceOptions options = new RebalanceOptions();
    options.set_wait_secs(0);
    options.set_num_workers(2);
    options.put_to_num_executors("split", 1);
    nimbus.rebalance("tour", options);
    while (!summary(nimbus).get_status().equals("ACTIVE")) Thread.sleep(50);
    say("rebalanced", summary(nimbus).get_num_workers() + " " + summary(nimbus).get_num_executors());
    KillOptions kill = new KillOptions();
    kill.set_wait_secs(0);
    nimbus.killTopologyWithOpts("tour", kill);
    while (summary(nimbus) != null) Thread.sleep(50);
    try {
      nimbus.killTopology("tour");
    } catch (NotAliveException dead) {
      say("dead", dead.get_msg());
    }
  }

  private static long acked(TopologyInfo info) {
    long acked = 0;
    for (ExecutorSummary each : info.get_executors()) {
      if (each.get_stats() == null || !each.get_stats().get_specific().is_set_spout()) continue;
      Map<String, Map<String, Long>> windows = each.get_stats().get_specific().get_spout().get_acked();
      for (long count : windows.get(":all-time").values()) acked += count;
    }
    return acked;
  }

  private static TopologySummary summary(Nimbus.Client nimbus) throws Exception {
    for (TopologySummary each : nimbus.getClusterInfo().get_topologies()) {
      if (each.get_name().equals("tour")) return each;
    }
    return null;
  }

  private static StormTopology shellTopology() {
    StormTopology topology =
        new StormTopology(
            new HashMap<String, SpoutSpec>(),
            new HashMap<String, Bolt>(),
            new HashMap<String, StateSpoutSpec>());
    topology.put_to_spouts(
        "sentences", new SpoutSpec(shell("sentences.py"), common("sentence", 1)));
    ComponentCommon split = common("word", 2);
    split.put_to_inputs(
        new GlobalStreamId("sentences", "default"), Grouping.shuffle(new NullStruct()));
    topology.put_to_bolts("split", new Bolt(shell("split.py"), split));
    ComponentCommon collect = common(null, 2);
    collect.put_to_inputs(
        new GlobalStreamId("split", "default"), Grouping.fields(Arrays.asList("word")));
    topology.put_to_bolts("collect", new Bolt(shell("collect.py"), collect));
    return topology;
  }

  private static ComponentObject shell(String script) {
    return ComponentObject.shell(new ShellComponent("python3", script));
  }

  private static ComponentCommon common(String field, int executors) {
    ComponentCommon common =
        new ComponentCommon(
            new HashMap<GlobalStreamId, Grouping>(), new HashMap<String, StreamInfo>());
    if (field != null)
      common.put_to_streams("default", new StreamInfo(Arrays.asList(field), false));
    common.set_parallelism_hint(executors);
    return common;
  }

  private static void say(String what, Object found) {
    System.out.println(what + ": " + found);
  }
}
