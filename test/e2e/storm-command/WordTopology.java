// A topology as Storm's users write it in Java: the components are classes, their work is done in Python.
//   storm jar words.jar WordTopology NAME FILE-FOR-THE-WORDS
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.StormSubmitter;
import org.apache.storm.spout.ShellSpout;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.tuple.Fields;

public final class WordTopology {
  public static final class Sentences extends ShellSpout implements IRichSpout {
    public Sentences() {
      super("python3", "sentences.py");
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      declarer.declare(new Fields("sentence"));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  public static final class Python extends ShellBolt implements IRichBolt {
    private final String field;

    public Python(String script, String field) {
      super("python3", script);
      this.field = field;
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
      if (field != null) declarer.declare(new Fields(field));
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
      return null;
    }
  }

  public static void main(String[] args) throws Exception {
    TopologyBuilder builder = new TopologyBuilder();
    builder.setSpout("sentences", new Sentences());
    builder.setBolt("split", new Python("split.py", "word"), 2).shuffleGrouping("sentences");
    builder
        .setBolt("collect", new Python("collect.py", null))
        .fieldsGrouping("split", new Fields("word"));
    Config conf = new Config();
    conf.put("collect.file", args[1]);
    StormSubmitter.submitTopology(args[0], conf, builder.createTopology());
  }
}
