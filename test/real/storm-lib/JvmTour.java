// Topologies with spouts and bolts in Java, submitted by Storm's own client of whichever line this is compiled with:
//   JvmTour PORT JAR NAME DIRECTORY [KEY=VALUE]...
// What happens is written into files of the directory, a line for each event: who reads them counts.
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.storm.Config;
import org.apache.storm.StormSubmitter;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.grouping.CustomStreamGrouping;
import org.apache.storm.generated.GlobalStreamId;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.task.WorkerTopologyContext;
import org.apache.storm.topology.BasicOutputCollector;
import org.apache.storm.topology.FailedException;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseBasicBolt;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

@SuppressWarnings({"rawtypes", "unchecked", "serial"})
public final class JvmTour {
  public static void main(String[] args) throws Exception {
    System.setProperty("storm.jar", args[1]);
    Map conf = new HashMap();
    conf.put("nimbus.seeds", Arrays.asList("localhost"));
    conf.put("nimbus.host", "localhost");
    conf.put("nimbus.thrift.port", Integer.parseInt(args[0]));
    conf.put("storm.nimbus.retry.times", 1);
    conf.put("tour.dir", args[3]);
    settings(conf, args, 4);
    if (args[2].equals("JvmMetrics")) JvmMetrics.register(conf);
    StormSubmitter.submitTopology(args[2], conf, topology(args[2]));
    System.exit(0);
  }

  /** Arguments KEY=VALUE; numbers are numbers, and [A,B] is a list. */
  static void settings(Map conf, String[] args, int from) {
    for (int i = from; i < args.length; i++) {
      String[] pair = args[i].split("=", 2);
      Object value = pair[1].matches("-?\\d+") ? (Object) Integer.valueOf(pair[1])
          : pair[1].matches("\\[.*\\]") ? (Object) Arrays.asList(pair[1].replaceAll("[\\[\\]]", "").split(","))
          : pair[1];
      conf.put(pair[0], value);
    }
  }

  static StormTopology topology(String name) throws Exception {
    TopologyBuilder builder = new TopologyBuilder();
    switch (name) {
      case "words":
        builder.setSpout("sentences", new Sentences(), 1);
        builder.setBolt("split", new Split(), 2).shuffleGrouping("sentences");
        builder.setBolt("count", new Count(), 3).fieldsGrouping("split", new Fields("word"));
        break;
      case "mixed":
        builder.setSpout("numbers", new Numbers(), 2);
        builder.setBolt("route", new Route(), 2).shuffleGrouping("numbers");
        builder.setBolt("even", new Join("even"), 2).fieldsGrouping("route", "even", new Fields("n"));
        builder.setBolt("odd", new Join("odd"), 1).shuffleGrouping("route", "odd");
        builder.setBolt("direct", new Join("direct"), 3).directGrouping("route", "direct");
        builder.setBolt("custom", new Join("custom"), 3).customGrouping("route", "even", new Modulo());
        builder.setBolt("types", new Types(), 1).globalGrouping("route", "types");
        break;
      case "throws":
        builder.setSpout("numbers", new Numbers(), 1);
        builder.setBolt("thrower", new Thrower(), 1).shuffleGrouping("numbers");
        break;
      case "flood":
        builder.setSpout("sentences", new Flood(), 1);
        builder.setBolt("split", new Words(), 1).shuffleGrouping("sentences");
        builder.setBolt("count", new Tally(), 1).fieldsGrouping("split", new Fields("word"));
        break;
      case "broken":
        builder.setSpout("numbers", new Numbers(), 1);
        builder.setBolt("broken", new Broken(), 1).shuffleGrouping("numbers");
        break;
      default:
        return (StormTopology) Class.forName(name).getMethod("topology").invoke(null);
    }
    return builder.createTopology();
  }

  /** Appends a line; each process and thread may. */
  static void note(Map conf, String file, String line) {
    try (FileOutputStream out = new FileOutputStream(new File((String) conf.get("tour.dir"), file), true)) {
      out.write((line + "\n").getBytes("UTF-8"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  static int setting(Map conf, String key, int otherwise) {
    Object value = conf.get(key);
    return value == null ? otherwise : ((Number) value).intValue();
  }

  /** Emits each sentence with an id until it is acked. */
  public static class Sentences extends BaseRichSpout {
    private transient SpoutOutputCollector collector;
    private transient Map conf;
    private transient List<Integer> again;
    private transient int next;

    @Override
    public void open(Map conf, TopologyContext context, SpoutOutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
      again = new ArrayList<>();
      System.out.println("the spout is open as task " + context.getThisTaskId());
    }

    @Override
    public void nextTuple() {
      int number = !again.isEmpty() ? again.remove(0) : next < setting(conf, "tour.count", 200) ? next++ : -1;
      if (number >= 0) collector.emit(new Values("the cow " + number + " jumped over the moon"), number);
    }

    @Override
    public void ack(Object id) {
      note(conf, "acked", id.toString());
    }

    @Override
    public void fail(Object id) {
      again.add((Integer) id);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("sentence"));
    }
  }

  /** A multi-lang bolt, as WordCountTopology has it. */
  public static class Split extends ShellBolt implements IRichBolt {
    public Split() {
      super("python3", "splitsentence.py");
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

  public static class Count extends BaseBasicBolt {
    private transient Map<String, Integer> counts;
    private transient Map conf;
    private transient int task;

    @Override
    public void prepare(Map conf, TopologyContext context) {
      this.conf = conf;
      task = context.getThisTaskId();
      counts = new HashMap<>();
    }

    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      String word = tuple.getString(0);
      int count = counts.merge(word, 1, Integer::sum);
      note(conf, "counts", word + " " + count + " " + task);
      collector.emit(new Values(word, count));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("word", "count"));
    }
  }

  /** Numbers with ids; each task its own. Failed ones are told and not emitted again. */
  public static class Numbers extends BaseRichSpout {
    private transient SpoutOutputCollector collector;
    private transient Map conf;
    private transient int next;
    private transient int open;
    private transient int task;

    @Override
    public void open(Map conf, TopologyContext context, SpoutOutputCollector collector) {
      this.conf = conf;
      this.collector = collector;
      task = context.getThisTaskIndex();
    }

    @Override
    public void nextTuple() {
      if (next >= setting(conf, "tour.count", 100)) return;
      int number = next++;
      open++;
      note(conf, "open", String.valueOf(open));
      collector.emit(new Values(number, task), Arrays.<Object>asList("id", number, task));
    }

    @Override
    public void ack(Object id) {
      open--;
      note(conf, "acked", id.toString());
    }

    @Override
    public void fail(Object id) {
      open--;
      note(conf, "failed", id.toString());
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("n", "task"));
    }
  }

  /** Sends to several streams, directly and not; fails some, and some it never answers. */
  public static class Route extends BaseRichBolt {
    private transient OutputCollector collector;
    private transient TopologyContext context;
    private transient Map conf;
    private transient int ticks;

    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      this.collector = collector;
      this.context = context;
      this.conf = conf;
      note(conf, "context", context.getThisComponentId() + " " + context.getThisSources().size()
          + " " + context.getComponentTasks("direct").size() + " " + context.getThisTargets().keySet().size()
          + " " + context.getComponentOutputFields("numbers", "default").toList());
    }

    @Override
    public void execute(Tuple tuple) {
      if (tuple.getSourceComponent().equals("__system")) {
        if (ticks++ < 2) note(conf, "ticks", tuple.getSourceStreamId() + " " + tuple.getValue(0));
        collector.ack(tuple);
        return;
      }
      int n = tuple.getIntegerByField("n");
      if (n % 10 == 3) {
        collector.fail(tuple);
        return;
      }
      if (n % 10 == 7) return;
      List<Integer> tasks = collector.emit(n % 2 == 0 ? "even" : "odd", tuple, new Values(n, tuple.getValue(1)));
      note(conf, "tasks", n + " " + tasks);
      List<Integer> targets = context.getComponentTasks("direct");
      collector.emitDirect(targets.get(n % targets.size()), "direct", tuple, new Values(n, tuple.getValue(1)));
      if (n == 0) collector.emit("types", tuple, Types.all());
      collector.ack(tuple);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declareStream("even", new Fields("n", "task"));
      declarer.declareStream("odd", new Fields("n", "task"));
      declarer.declareStream("direct", true, new Fields("n", "task"));
      declarer.declareStream("types", new Fields("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      Map<String, Object> own = new HashMap<>();
      own.put(Config.TOPOLOGY_TICK_TUPLE_FREQ_SECS, 1);
      return own;
    }
  }

  /** Notes what comes. */
  public static class Join extends BaseBasicBolt {
    private final String file;
    private transient Map conf;
    private transient int task;

    public Join(String file) {
      this.file = file;
    }

    @Override
    public void prepare(Map conf, TopologyContext context) {
      this.conf = conf;
      task = context.getThisTaskIndex();
    }

    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      int n = tuple.getInteger(0);
      note(conf, file, n + " " + tuple.getInteger(1) + " " + task);
      if (file.equals("odd") && n % 10 == 5) throw new FailedException("five");
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }

  public static class Modulo implements CustomStreamGrouping {
    private List<Integer> targets;

    @Override
    public void prepare(WorkerTopologyContext context, GlobalStreamId stream, List<Integer> targets) {
      this.targets = targets;
    }

    @Override
    public List<Integer> chooseTasks(int task, List<Object> values) {
      return Arrays.asList(targets.get(((Integer) values.get(0)) / 2 % targets.size()));
    }
  }

  /** An object that only Java knows. */
  public static class Point implements java.io.Serializable {
    final int x;

    Point(int x) {
      this.x = x;
    }

    @Override
    public String toString() {
      return "point " + x;
    }
  }

  public static class Types extends BaseBasicBolt {
    private transient Map conf;

    static Values all() {
      Map<String, Object> map = new HashMap<>();
      map.put("key", 1L);
      return new Values(1, 2L, 1.5f, 2.0, "a\u00e9\u4e2d", new byte[] {1, 2}, null, true,
          new java.math.BigInteger("123456789012345678901234567890"), new java.math.BigDecimal("1.50"),
          Arrays.asList("x", 1, 1L, map), new Point(7));
    }

    @Override
    public void prepare(Map conf, TopologyContext context) {
      this.conf = conf;
    }

    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      for (Object value : tuple.getValues()) {
        String type = value == null ? "null" : value.getClass().getSimpleName();
        String text = value instanceof byte[] ? Arrays.toString((byte[]) value) : String.valueOf(value);
        note(conf, "types", type + " " + text);
      }
      note(conf, "types", String.valueOf(((Map) ((List) tuple.getValue(10)).get(3)).get("key").getClass().getSimpleName()));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }

  public static class Thrower extends BaseBasicBolt {
    private transient Map conf;
    private transient int seen;

    @Override
    public void prepare(Map conf, TopologyContext context) {
      this.conf = conf;
      note(conf, "prepared", "once");
    }

    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      int n = tuple.getInteger(0);
      if (n == 5 && setting(conf, "tour.halt", 0) == 1) Runtime.getRuntime().halt(3);
      if (n == 5) throw new IllegalStateException("five is too much");
      note(conf, "seen", String.valueOf(n));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }

  /** As fast as it may, for benchmarks. */
  public static class Flood extends BaseRichSpout {
    private static final String[] SENTENCES = {
      "the cow jumped over the moon", "an apple a day keeps the doctor away", "four score and seven years ago",
      "snow white and the seven dwarfs", "i am at two with nature"
    };
    private transient SpoutOutputCollector collector;
    static final AtomicLong ACKED = new AtomicLong();
    private transient long next;

    @Override
    public void open(Map conf, TopologyContext context, SpoutOutputCollector collector) {
      this.collector = collector;
    }

    @Override
    public void ack(Object id) {
      ACKED.incrementAndGet();
    }

    @Override
    public void nextTuple() {
      long id = next++;
      collector.emit(new Values(SENTENCES[(int) (id % SENTENCES.length)]), id);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("sentence"));
    }
  }

  public static class Words extends BaseBasicBolt {
    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      for (String word : tuple.getString(0).split(" ")) collector.emit(new Values(word));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("word"));
    }
  }

  public static class Tally extends BaseBasicBolt {
    private transient Map<String, Integer> counts;

    @Override
    public void prepare(Map conf, TopologyContext context) {
      counts = new HashMap<>();
    }

    @Override
    public void execute(Tuple tuple, BasicOutputCollector collector) {
      String word = tuple.getString(0);
      collector.emit(new Values(word, counts.merge(word, 1, Integer::sum)));
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("word", "count"));
    }
  }

  public static class Broken extends BaseRichBolt {
    @Override
    public void prepare(Map conf, TopologyContext context, OutputCollector collector) {
      throw new IllegalStateException("no data base");
    }

    @Override
    public void execute(Tuple tuple) {}

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {}
  }
}
