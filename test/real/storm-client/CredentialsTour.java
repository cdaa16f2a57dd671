// What a user of Storm's client does before a Nimbus that wants users: logs in by SASL digest, submits a topology in Java whose spout
// and bolt listen for credentials, gives it others while it runs, rebalances and kills it. Both components write what they are
// told into a file. Prints a line per finding.
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.storm.Config;
import org.apache.storm.ICredentialsListener;
import org.apache.storm.StormSubmitter;
import org.apache.storm.generated.Credentials;
import org.apache.storm.generated.KillOptions;
import org.apache.storm.generated.Nimbus;
import org.apache.storm.generated.RebalanceOptions;
import org.apache.storm.generated.SubmitOptions;
import org.apache.storm.generated.TopologyInitialStatus;
import org.apache.storm.generated.TopologySummary;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

public final class CredentialsTour {
  public static void main(String[] args) throws Exception {
    System.setProperty("storm.jar", args[1]);
    Map<String, Object> conf = new HashMap<>();
    conf.put(Config.NIMBUS_SEEDS, List.of("localhost"));
    conf.put(Config.NIMBUS_THRIFT_PORT, Integer.parseInt(args[0]));
    conf.put(Config.STORM_NIMBUS_RETRY_TIMES, 1);
    conf.put(Config.STORM_THRIFT_TRANSPORT_PLUGIN, args[3]);
    conf.put("java.security.auth.login.config", args[4]);
    conf.put("tour.file", args[2]);

    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("spout", new SecretSpout());
    builder.setBolt("bolt", new SecretBolt()).shuffleGrouping("spout");
    SubmitOptions options = new SubmitOptions(TopologyInitialStatus.ACTIVE);
    options.set_creds(new Credentials(Map.of("password", "first")));
    StormSubmitter.submitTopology("secrets", conf, builder.createTopology(), options);
    Path file = Paths.get(args[2]);
    byte[] ballast = new byte[3_000_000];
    new java.util.Random(1).nextBytes(ballast);
    awaited(file, "ballast " + java.util.Arrays.hashCode(ballast));
    awaited(file, "bolt got first", "spout got first", "spout opened", "seen first");
    Map<String, Object> whole = Utils.readStormConfig();
    whole.putAll(conf);
    StormSubmitter.pushCredentials("secrets", whole, Map.of("password", "second"));
    awaited(file, "bolt got second", "spout got second", "seen second");
    // The command line does this.
    awaited(file, "bolt got third", "seen third");
    NimbusClient.withConfiguredClient(nimbus -> end(nimbus, file), whole);
    System.exit(0);
  }

  private static void end(Nimbus.Iface nimbus, Path file) throws Exception {
    TopologySummary summary = nimbus.getTopologySummaryByName("secrets");
    System.out.println("owner: " + summary.get_owner() + " " + summary.get_status());
    Files.write(file, List.of(), StandardOpenOption.TRUNCATE_EXISTING);
    RebalanceOptions rebalance = new RebalanceOptions();
    rebalance.set_wait_secs(0);
    rebalance.set_num_workers(2);
    nimbus.rebalance("secrets", rebalance);
    until("ACTIVE", () -> nimbus.getTopologySummaryByName("secrets").get_status().equals("ACTIVE"));
    System.out.println("workers: " + nimbus.getTopologySummaryByName("secrets").get_num_workers());
    awaited(file, "bolt got third", "spout got third", "seen third");
    KillOptions kill = new KillOptions();
    kill.set_wait_secs(0);
    nimbus.killTopologyWithOpts("secrets", kill);
    until("no topology", () -> nimbus.getTopologySummaries().isEmpty());
    System.out.println("killed: true");
  }

  private static void awaited(Path file, String... lines) throws Exception {
    List<String> wanted = List.of(lines);
    until(wanted + " in " + file, () -> Files.exists(file) && Files.readAllLines(file).containsAll(wanted));
  }

  /** Asks again and again, and says in the end what it has waited for. */
  private static void until(String what, Callable<Boolean> ask) throws Exception {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!ask.call()) {
      if (System.nanoTime() > deadline) throw new IllegalStateException("waited a minute for " + what);
      Thread.sleep(20);
    }
  }

  private static void note(Map<String, Object> conf, String line) {
    try {
      Path file = Paths.get((String) conf.get("tour.file"));
      Files.write(file, List.of(line), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (java.io.IOException e) {
      throw new IllegalStateException(e);
    }
  }

  public static final class SecretSpout extends BaseRichSpout implements ICredentialsListener {
    private SpoutOutputCollector collector;
    private Map<String, Object> conf;
    private String secret = "none";

    /** In Storm this comes before open. */
    @Override
    public void setCredentials(Map<String, String> credentials) {
      secret = credentials.get("password");
      if (conf != null) note(conf, "spout got " + secret);
    }

    @Override
    public void open(Map<String, Object> conf, TopologyContext context, SpoutOutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
      note(conf, "spout got " + secret);
      note(conf, "spout opened");
    }

    @Override
    public void nextTuple() {
      Utils.sleep(20);
      collector.emit(new Values(secret), secret);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("secret"));
    }
  }

  public static final class SecretBolt extends BaseRichBolt implements ICredentialsListener {
    /** A serialised component may be large. */
    private final byte[] ballast = new byte[3_000_000];
    private OutputCollector collector;
    private Map<String, Object> conf;
    private String secret = "none";
    private String last;

    SecretBolt() {
      new java.util.Random(1).nextBytes(ballast);
    }

    @Override
    public void setCredentials(Map<String, String> credentials) {
      secret = credentials.get("password");
      if (conf != null) note(conf, "bolt got " + secret);
    }

    @Override
    public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
      note(conf, "bolt got " + secret);
      note(conf, "ballast " + java.util.Arrays.hashCode(ballast));
    }

    @Override
    public void execute(Tuple tuple) {
      if (!tuple.getString(0).equals(last)) note(conf, "seen " + tuple.getString(0));
      last = tuple.getString(0);
      collector.ack(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
