package gearpump.peer;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.StormSubmitter;
import org.apache.storm.generated.KillOptions;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.topology.BoltDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.tuple.Fields;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

/**
 * Bench key=value...
 *   topo=sol|const|wc|mlwc|mlid|mlspout  mode=local|cluster  ack=0|N  spouts= bolts= levels=
 *   pending= workers= warm= secs= size= rate= kill=1  conf.KEY=VALUE (any Storm topology setting)
 * Prints one JSON line on stdout.
 */
public final class Bench {
    static final long JVM_START = java.lang.management.ManagementFactory.getRuntimeMXBean().getStartTime();
    static Map<String, String> a = new LinkedHashMap<>();

    static String s(String k, String d) { return a.getOrDefault(k, d); }
    static int i(String k, int d) { return Integer.parseInt(a.getOrDefault(k, "" + d)); }

    static String[] randomStrings(int n, int size) {
        java.util.Random r = new java.util.Random(42);
        String[] out = new String[n];
        for (int k = 0; k < n; k++) {
            StringBuilder b = new StringBuilder();
            while (b.length() < size) b.append(r.nextInt(10));
            out[k] = b.toString();
        }
        return out;
    }

    /** 100 sentences of 10 words each out of 1000 words of 3..10 letters; the same on every run (seed 42). */
    static String[] sentences() {
        java.util.Random r = new java.util.Random(42);
        String[] words = new String[1000];
        for (int k = 0; k < words.length; k++) {
            int len = 3 + r.nextInt(8);
            StringBuilder b = new StringBuilder();
            for (int j = 0; j < len; j++) b.append((char) ('a' + r.nextInt(26)));
            words[k] = b.toString();
        }
        String[] out = new String[100];
        for (int k = 0; k < out.length; k++) {
            StringBuilder b = new StringBuilder();
            for (int j = 0; j < 10; j++) b.append(j == 0 ? "" : " ").append(words[r.nextInt(words.length)]);
            out[k] = b.toString();
        }
        return out;
    }

    static StormTopology build() {
        boolean acked = i("ack", 0) > 0;
        int sp = i("spouts", 1), bo = i("bolts", 1);
        long rate = i("rate", 0);
        TopologyBuilder b = new TopologyBuilder();
        switch (s("topo", "sol")) {
            case "sol": {
                int levels = i("levels", 2);
                b.setSpout("spout", new Parts.LoopSpout("message", randomStrings(100, i("size", 100)), acked, rate), sp);
                for (int l = 1; l < levels; l++) {
                    b.setBolt("bolt" + l, new Parts.PassBolt(l == levels - 1), bo)
                     .shuffleGrouping(l == 1 ? "spout" : "bolt" + (l - 1));
                }
                break;
            }
            case "const":
                b.setSpout("constSpout", new Parts.LoopSpout("str", new String[] {"some data"}, acked, rate), sp);
                b.setBolt("idBolt", new Parts.PassBolt(false), bo).localOrShuffleGrouping("constSpout");
                b.setBolt("nullBolt", new Parts.NullBolt(), bo).localOrShuffleGrouping("idBolt");
                break;
            case "wc":
                b.setSpout("spout", new Parts.LoopSpout("sentence", sentences(), acked, rate), sp);
                b.setBolt("split", new Parts.SplitBolt(), bo).shuffleGrouping("spout");
                b.setBolt("count", new Parts.CountBolt(), bo).fieldsGrouping("split", new Fields("word"));
                break;
            case "mlwc":
                b.setSpout("spout", new Parts.LoopSpout("sentence", sentences(), acked, rate), sp);
                b.setBolt("split", new Parts.PyBolt(s("script", "split.py"), "word"), bo).shuffleGrouping("spout");
                b.setBolt("count", new Parts.CountBolt(), bo).fieldsGrouping("split", new Fields("word"));
                break;
            case "mlid":
                b.setSpout("spout", new Parts.LoopSpout("message", randomStrings(100, i("size", 100)), acked, rate), sp);
                b.setBolt("id", new Parts.PyBolt(s("script", "ident.py"), "message"), bo).shuffleGrouping("spout");
                b.setBolt("sink", new Parts.NullBolt(), 1).shuffleGrouping("id");
                break;
            case "mlspout":
                b.setSpout("spout", new Parts.PySpout(s("script", "pyspout.py"), "message"), sp);
                b.setBolt("sink", new Parts.NullBolt(), 1).shuffleGrouping("spout");
                break;
            default:
                throw new IllegalArgumentException("topo?");
        }
        return b.createTopology();
    }

    static Object typed(String v) {
        if (v.equals("true") || v.equals("false")) return Boolean.valueOf(v);
        try { return Long.valueOf(v); } catch (NumberFormatException e) { /* not a long */ }
        try { return Double.valueOf(v); } catch (NumberFormatException e) { /* not a double */ }
        return v;
    }

    interface Source { Meter.Snap snap() throws Exception; }

    /** Sums each worker's newest snapshot. */
    static Source files(Path dir) {
        return () -> {
            Meter.Snap total = new Meter.Snap();
            for (File f : dir.toFile().listFiles((d, n) -> n.endsWith(".tsv"))) {
                Meter.Snap s = lastLine(f);
                if (s != null) total.plus(s);
            }
            return total;
        };
    }

    static Meter.Snap lastLine(File f) throws Exception {
        try (java.io.RandomAccessFile r = new java.io.RandomAccessFile(f, "r")) {
            long len = r.length();
            byte[] buf = new byte[(int) Math.min(len, 65536)];
            r.seek(len - buf.length);
            r.readFully(buf);
            String[] lines = new String(buf).split("\n");
            for (int k = lines.length - 1; k >= 0; k--) {
                Meter.Snap s = lines[k].isEmpty() ? null : Meter.Snap.parse(lines[k]);
                if (s != null) return s;
            }
        }
        return null;
    }

    public static void main(String[] args) throws Exception {
        List<List<String>> groups = new ArrayList<>();
        groups.add(new ArrayList<>());
        for (String x : args) {
            if (x.equals("--")) groups.add(new ArrayList<>()); else groups.get(groups.size() - 1).add(x);
        }
        if (groups.size() > 1) {
            sweep(groups);
            Runtime.getRuntime().halt(0);
        }
        set(groups.get(0));
        boolean local = s("mode", "local").equals("local");
        int warm = i("warm", 15), secs = i("secs", 20);
        Config conf = conf();
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("case", s("case", s("topo", "sol")));
        String name = "bench-" + ProcessHandle.current().pid();
        Source src;
        AutoCloseable end;
        long submitAt;
        Path dir = null;
        if (local) {
            LocalCluster c = new LocalCluster();
            long up = System.currentTimeMillis();
            r.put("jvm_to_cluster_up_s", (up - JVM_START) / 1e3);
            submitAt = System.currentTimeMillis();
            LocalCluster.LocalTopology t = c.submitTopology(name, conf, build());
            src = Meter.Snap::take;
            end = () -> { };
        } else {
            dir = Path.of(s("dir", "run")).toAbsolutePath();
            Files.createDirectories(dir);
            for (File f : dir.toFile().listFiles((d, n) -> n.endsWith(".tsv"))) f.delete();
            conf.put("bench.dir", dir.toString());
            submitAt = System.currentTimeMillis();
            StormSubmitter.submitTopology(name, conf, build());
            src = files(dir);
            end = () -> {
                KillOptions o = new KillOptions();
                o.set_wait_secs(0);
                NimbusClient.Builder.withConf(Utils.readStormConfig()).build().getClient().killTopologyWithOpts(name, o);
            };
        }
        try {
            Meter.Snap s0;
            long limit = System.currentTimeMillis() + 90_000;
            while ((s0 = src.snap()).first == 0) {
                if (System.currentTimeMillis() > limit) throw new IllegalStateException("no tuple after 90 s");
                Thread.sleep(20);
            }
            if (local) r.put("jvm_to_first_tuple_s", (s0.first - JVM_START) / 1e3);
            r.put("submit_to_first_tuple_s", (s0.first - submitAt) / 1e3);
            Thread.sleep(warm * 1000L);
            if (i("kill", 0) > 0) {
                kill(src, dir, r);
            } else {
                measure(src, secs, r);
            }
            r.put("settings", settings());
            System.out.println(json(r));
        } finally {
            end.close();
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    static void set(List<String> args) {
        for (String x : args) { int e = x.indexOf('='); a.put(x.substring(0, e), x.substring(e + 1)); }
    }

    /** common -- group1 -- group2 ...: the groups one after another in one LocalCluster (a search for good settings). */
    static void sweep(List<List<String>> groups) throws Exception {
        LocalCluster c = new LocalCluster();
        for (int g = 1; g < groups.size(); g++) {
            a = new LinkedHashMap<>();
            set(groups.get(0));
            set(groups.get(g));
            for (List<?> l : List.of(Meter.EMIT, Meter.SINK, Meter.REMOTE, Meter.ACK, Meter.FAIL, Meter.MID, Meter.LAT)) l.clear();
            Meter.firstSinkMillis = 0;
            String name = "bench" + g;
            c.submitTopology(name, conf(), build());
            while (Meter.firstSinkMillis == 0) Thread.sleep(50);
            Thread.sleep(i("warm", 6) * 1000L);
            Map<String, Object> r = new LinkedHashMap<>();
            measure(Meter.Snap::take, i("secs", 6), r);
            Map<String, Object> o = new LinkedHashMap<>();
            o.put("set", String.join(" ", groups.get(g)));
            for (String k : List.of("msgs_per_sec", "per_s_min", "per_s_max", "lat_mean_ms", "lat_p99_ms", "own_cpu_cores", "foreign_cpu_cores", "rss_mb")) {
                if (r.containsKey(k)) o.put(k, r.get(k));
            }
            System.out.println(json(o));
            System.out.flush();
            KillOptions k = new KillOptions();
            k.set_wait_secs(0);
            c.killTopologyWithOpts(name, k);
            long last;
            do { last = Meter.Snap.sum(Meter.SINK); Thread.sleep(500); } while (Meter.Snap.sum(Meter.SINK) != last);
        }
    }

    static Config conf() {
        Config conf = new Config();
        conf.put("topology.acker.executors", i("ack", 0));
        conf.put("topology.workers", i("workers", 1));
        if (a.containsKey("pending")) conf.put("topology.max.spout.pending", i("pending", 1000));
        for (Map.Entry<String, String> e : a.entrySet()) {
            if (e.getKey().startsWith("conf.")) conf.put(e.getKey().substring(5), typed(e.getValue()));
        }
        return conf;
    }

    static void measure(Source src, int secs, Map<String, Object> r) throws Exception {
        Meter.Snap x = src.snap();
        long n0 = System.nanoTime();
        double[] cpu0 = cpu();
        List<Double> perSec = new ArrayList<>();
        Meter.Snap prev = x;
        Meter.Snap y = x;
        for (int k = 0; k < secs; k++) {
            Thread.sleep(1000);
            y = src.snap();
            if (y.t > prev.t) perSec.add((y.sink - prev.sink) * 1e3 / (y.t - prev.t));
            prev = y;
        }
        double dt = (y.t - x.t) / 1e3;
        double[] cpu1 = cpu();
        double wall = (System.nanoTime() - n0) / 1e9;
        Collections.sort(perSec);
        r.put("msgs_per_sec", Math.round((y.sink - x.sink) / dt));
        r.put("per_s_min", Math.round(perSec.get(0)));
        r.put("per_s_median", Math.round(perSec.get(perSec.size() / 2)));
        r.put("per_s_max", Math.round(perSec.get(perSec.size() - 1)));
        r.put("spout_emits_per_sec", Math.round((y.emit - x.emit) / dt));
        if (y.mid > x.mid) r.put("mid_in_per_sec", Math.round((y.mid - x.mid) / dt));
        r.put("remote_share", y.sink == x.sink ? 0 : Math.round(1000.0 * (y.remote - x.remote) / (y.sink - x.sink)) / 1e3);
        if (i("ack", 0) > 0) {
            r.put("acks_per_sec", Math.round((y.ack - x.ack) / dt));
            r.put("failed", y.fail - x.fail);
            long ln = y.latN - x.latN;
            if (ln > 0) {
                r.put("lat_mean_ms", Math.round((y.latSum - x.latSum) / (double) ln / 1e3) / 1e3);
                for (double q : new double[] {0.5, 0.99, 0.999}) {
                    long want = (long) (ln * q), acc = 0;
                    for (int k = 0; k < y.h.length; k++) {
                        acc += y.h[k] - x.h[k];
                        if (acc > want) {
                            r.put("lat_p" + (q == 0.5 ? "50" : q == 0.99 ? "99" : "999") + "_ms",
                                Math.round(Meter.Hist.mid(k) / 1e3) / 1e3);
                            break;
                        }
                    }
                }
            }
        }
        r.put("worker_cpu_cores", Math.round((y.cpuNs - x.cpuNs) / 1e7 / dt) / 1e2);
        double own = (cpu1[0] - cpu0[0]) / wall;
        r.put("own_cpu_cores", Math.round(own * 100) / 1e2);
        r.put("foreign_cpu_cores", Math.max(0, Math.round(((cpu1[1] - cpu0[1]) / wall - own) * 100) / 1e2));
        r.put("steal_cores", Math.round((cpu1[2] - cpu0[2]) / wall * 100) / 1e2);
        if (own > 0) r.put("msgs_per_cpu_s", Math.round((y.sink - x.sink) / dt / own));
        if (s("mode", "local").equals("local")) {
            r.put("rss_mb", rss("self") / 1024);
            long kids = ProcessHandle.current().descendants().mapToLong(p -> rss("" + p.pid())).sum();
            if (kids > 0) r.put("children_rss_mb", kids / 1024);
        }
        else {
            r.put("cluster_rss_mb", mine().stream().filter(p -> p.pid() != ProcessHandle.current().pid())
                .mapToLong(p -> rss("" + p.pid())).sum() / 1024);
        }
        r.put("measured_s", dt);
    }

    /** kill -9 one worker process and watch the sink; rates per 200 ms. */
    static void kill(Source src, Path dir, Map<String, Object> r) throws Exception {
        Meter.Snap x = src.snap();
        Thread.sleep(5000);
        Meter.Snap y = src.snap();
        double before = (y.sink - x.sink) * 1e3 / (y.t - x.t);
        r.put("sink_per_sec_before", Math.round(before));
        // victim: the worker that has the sink (kill=1) or the spout (kill=2)
        File victim = null;
        List<String> old = new ArrayList<>();
        for (File f : dir.toFile().listFiles((d, n) -> n.endsWith(".tsv"))) {
            old.add(f.getName());
            Meter.Snap s = lastLine(f);
            if (i("kill", 1) == 1 ? s.sink > 0 : s.emit > 0) victim = f;
        }
        long pid = Long.parseLong(victim.getName().replace(".tsv", ""));
        r.put("victim", i("kill", 1) == 1 ? "sink worker" : "spout worker");
        long t0 = System.currentTimeMillis();
        ProcessHandle.of(pid).get().destroyForcibly();
        long lastSink = -1, firstGap = -1, resumed = -1, newPidSeen = -1, full = -1, winT = t0, winSink = src.snap().sink;
        long deadlineFail = 0;
        StringBuilder tl = new StringBuilder();
        while (System.currentTimeMillis() < t0 + i("killsecs", 75) * 1000L) {
            Thread.sleep(200);
            long now = System.currentTimeMillis();
            boolean np = false;
            for (File f : dir.toFile().listFiles((d, n) -> n.endsWith(".tsv"))) if (!old.contains(f.getName())) np = true;
            if (np && newPidSeen < 0) newPidSeen = now - t0;
            if (now - winT >= 1000) {
                Meter.Snap s = src.snap();
                double rate = (s.sink - winSink) * 1e3 / (now - winT);
                tl.append(Math.round(rate / 1000)).append(' ');
                if (rate < before * 0.02 && firstGap < 0) firstGap = now - t0;
                if (rate > before * 0.02 && newPidSeen >= 0 && resumed < 0) resumed = now - t0;
                if (rate >= before * 0.8 && newPidSeen >= 0 && full < 0) full = now - t0;
                winT = now;
                winSink = s.sink;
            }
        }
        Meter.Snap z = src.snap();
        r.put("new_worker_first_report_s", newPidSeen / 1e3);
        r.put("sink_resumed_s", resumed / 1e3);
        r.put("sink_back_to_80pct_s", full / 1e3);
        r.put("fails_after_kill", z.fail - y.fail);
        r.put("timeline_k_per_s", tl.toString().trim());
    }

    /** Seconds of CPU so far: { this bench and everything that belongs to it, the whole machine, stolen by the host }. */
    static double[] cpu() throws Exception {
        double own = 0;
        for (ProcessHandle p : mine()) {
            try {
                String st = Files.readString(Path.of("/proc/" + p.pid() + "/stat"));
                String[] f = st.substring(st.lastIndexOf(')') + 2).split(" ");
                own += (Long.parseLong(f[11]) + Long.parseLong(f[12])) / 100.0;
            } catch (Exception e) { /* gone */ }
        }
        String[] f = Files.readAllLines(Path.of("/proc/stat")).get(0).trim().split("\\s+");
        double busy = 0;
        for (int k : new int[] {1, 2, 3, 6, 7}) busy += Long.parseLong(f[k]) / 100.0;
        return new double[] {own, busy, Long.parseLong(f[8]) / 100.0};
    }

    static List<ProcessHandle> mine() {
        List<ProcessHandle> l = new ArrayList<>();
        l.add(ProcessHandle.current());
        ProcessHandle.current().descendants().forEach(l::add);
        if (!s("mode", "local").equals("local")) {
            String mark = "-Dstorm.home=" + System.getProperty("peer.home");
            ProcessHandle.allProcesses().forEach(p -> {
                try {
                    if (new String(Files.readAllBytes(Path.of("/proc/" + p.pid() + "/cmdline"))).replace('\0', ' ').contains(mark)) {
                        l.add(p);
                        p.children().filter(c -> c.info().command().orElse("").contains("python")).forEach(l::add);
                    }
                } catch (Exception e) { /* gone */ }
            });
        }
        return l;
    }

    static long rss(String pid) {
        try {
            for (String l : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                if (l.startsWith("VmRSS:")) return Long.parseLong(l.replaceAll("[^0-9]", ""));
            }
        } catch (Exception e) { /* gone */ }
        return 0;
    }

    static Map<String, Object> settings() {
        Map<String, Object> m = new TreeMap<>();
        for (Map.Entry<String, String> e : a.entrySet()) {
            if (!e.getKey().equals("case") && !e.getKey().equals("dir")) m.put(e.getKey(), e.getValue());
        }
        return m;
    }

    @SuppressWarnings("unchecked")
    static String json(Object o) {
        if (o instanceof Map) {
            StringBuilder b = new StringBuilder("{");
            for (Map.Entry<String, Object> e : ((Map<String, Object>) o).entrySet()) {
                if (b.length() > 1) b.append(',');
                b.append('"').append(e.getKey()).append("\":").append(json(e.getValue()));
            }
            return b.append('}').toString();
        }
        if (o instanceof Number) {
            return o instanceof Double ? String.format(Locale.ROOT, "%.3f", (Double) o) : o.toString();
        }
        return '"' + o.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private Bench() { }
}
