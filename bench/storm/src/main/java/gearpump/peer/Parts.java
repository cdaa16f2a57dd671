package gearpump.peer;

import java.util.HashMap;
import java.util.Map;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.spout.ShellSpout;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.BasicOutputCollector;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseBasicBolt;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

/** Spouts and bolts of the benchmark topologies. */
public final class Parts {

    /** Cycles over a fixed set of strings as fast as Storm lets it. One in eight acked messages carries its emit time. */
    public static class LoopSpout extends BaseRichSpout {
        private final String[] data;
        private final String field;
        private final boolean acked;
        private final long ratePerSec;
        private transient SpoutOutputCollector out;
        private transient Meter.Cell emit, ack, fail;
        private transient Meter.Hist lat;
        private int i;
        private long seq, t0;
        private static final Long UNTIMED = -1L;

        LoopSpout(String field, String[] data, boolean acked, long ratePerSec) {
            this.field = field; this.data = data; this.acked = acked; this.ratePerSec = ratePerSec;
        }
        @Override public void open(Map<String, Object> conf, TopologyContext ctx, SpoutOutputCollector out) {
            this.out = out;
            emit = Meter.cell(Meter.EMIT); ack = Meter.cell(Meter.ACK); fail = Meter.cell(Meter.FAIL);
            lat = Meter.hist();
            i = ctx.getThisTaskIndex() * 7 % data.length;
            Meter.report(conf);
        }
        @Override public void nextTuple() {
            if (ratePerSec > 0) {
                long now = System.nanoTime();
                if (t0 == 0) t0 = now;
                if (seq >= (now - t0) / 1e9 * ratePerSec) return;
            }
            String s = data[i];
            if (++i == data.length) i = 0;
            if (acked) {
                Long id = (seq & 7) == 0 ? (Long) System.nanoTime() : UNTIMED;
                out.emit(new Values(s), id);
            } else {
                out.emit(new Values(s));
            }
            seq++;
            emit.inc();
        }
        @Override public void ack(Object id) {
            ack.inc();
            long t = (Long) id;
            if (t != -1L) lat.record(System.nanoTime() - t);
        }
        @Override public void fail(Object id) { fail.inc(); }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { d.declare(new Fields(field)); }
    }

    /** Counts what arrives, and what arrived from a task in another worker process. */
    static final class SinkCounter {
        private final Meter.Cell n = Meter.cell(Meter.SINK), remote = Meter.cell(Meter.REMOTE);
        private final boolean[] local;
        private boolean first = true;
        SinkCounter(Map<String, Object> conf, TopologyContext ctx) {
            int max = 0;
            for (int t : ctx.getTaskToComponent().keySet()) max = Math.max(max, t);
            local = new boolean[max + 1];
            for (int t : ctx.getThisWorkerTasks()) if (t >= 0) local[t] = true;
            Meter.report(conf);
        }
        void hit(Tuple t) {
            if (first) {
                first = false;
                if (Meter.firstSinkMillis == 0) Meter.firstSinkMillis = System.currentTimeMillis();
            }
            n.inc();
            if (!local[t.getSourceTask()]) remote.inc();
        }
    }

    /** Emits its input again, anchored and acked (a no-op when the topology has no ackers). */
    public static class PassBolt extends BaseBasicBolt {
        private final boolean sink;
        private transient SinkCounter count;
        PassBolt(boolean sink) { this.sink = sink; }
        @Override public void prepare(Map<String, Object> conf, TopologyContext ctx) {
            if (sink) count = new SinkCounter(conf, ctx);
            Meter.report(conf);
        }
        @Override public void execute(Tuple t, BasicOutputCollector out) {
            if (sink) count.hit(t);
            out.emit(new Values(t.getValue(0)));
        }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { d.declare(new Fields("message")); }
    }

    /** Throws its input away. */
    public static class NullBolt extends BaseRichBolt {
        private transient OutputCollector out;
        private transient SinkCounter count;
        @Override public void prepare(Map<String, Object> conf, TopologyContext ctx, OutputCollector out) {
            this.out = out;
            count = new SinkCounter(conf, ctx);
        }
        @Override public void execute(Tuple t) {
            count.hit(t);
            out.ack(t);
        }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { }
    }

    public static class SplitBolt extends BaseBasicBolt {
        private transient Meter.Cell in;
        @Override public void prepare(Map<String, Object> conf, TopologyContext ctx) {
            in = Meter.cell(Meter.MID);
            Meter.report(conf);
        }
        @Override public void execute(Tuple t, BasicOutputCollector out) {
            in.inc();
            for (String w : t.getString(0).split(" ")) out.emit(new Values(w));
        }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { d.declare(new Fields("word")); }
    }

    public static class CountBolt extends BaseBasicBolt {
        private transient SinkCounter count;
        private transient Map<String, Integer> seen;
        @Override public void prepare(Map<String, Object> conf, TopologyContext ctx) {
            count = new SinkCounter(conf, ctx);
            seen = new HashMap<>();
        }
        @Override public void execute(Tuple t, BasicOutputCollector out) {
            count.hit(t);
            String w = t.getString(0);
            Integer n = seen.merge(w, 1, Integer::sum);
            out.emit(new Values(w, n));
        }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { d.declare(new Fields("word", "count")); }
    }

    /** Python over the multilang protocol. */
    public static class PyBolt extends ShellBolt implements IRichBolt {
        private final String field;
        PyBolt(String script, String field) { super("python3", script); this.field = field; }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { d.declare(new Fields(field)); }
        @Override public Map<String, Object> getComponentConfiguration() { return null; }
    }

    public static class PySpout extends ShellSpout implements IRichSpout {
        private final String field;
        PySpout(String script, String field) { super("python3", script); this.field = field; }
        @Override public void declareOutputFields(OutputFieldsDeclarer d) { d.declare(new Fields(field)); }
        @Override public Map<String, Object> getComponentConfiguration() { return null; }
    }

    private Parts() { }
}
