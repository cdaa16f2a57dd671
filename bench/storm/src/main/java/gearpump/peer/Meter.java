package gearpump.peer;

import java.io.FileWriter;
import java.io.PrintWriter;
import java.io.File;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** Per-task single-writer counters, summed by a reader thread. One registry per JVM (= per worker). */
public final class Meter {
    static final VarHandle N;
    static {
        try {
            N = MethodHandles.lookup().findVarHandle(Cell.class, "n", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static class Pad0 { long a0, a1, a2, a3, a4, a5, a6, a7; }
    static class Val extends Pad0 { }
    /** Counter written by exactly one task thread. */
    public static final class Cell extends Val {
        private long n;
        long b0, b1, b2, b3, b4, b5, b6, b7;
        public void inc() { N.setOpaque(this, n + 1); }
        public void add(long d) { N.setOpaque(this, n + d); }
        public long get() { return (long) N.getOpaque(this); }
    }

    /** Log-linear histogram of nanoseconds: 32 sub-buckets per power of two (about 3 % resolution). */
    public static final class Hist {
        static final int SUB = 5;
        static final int SIZE = (64 - SUB) << SUB;
        final long[] c = new long[SIZE];
        final Cell count = new Cell();
        final Cell sum = new Cell();
        public void record(long ns) {
            if (ns < 0) ns = 0;
            c[idx(ns)]++;
            count.inc();
            sum.add(ns);
        }
        static int idx(long v) {
            if (v < (1 << SUB)) return (int) v;
            int e = 63 - Long.numberOfLeadingZeros(v);
            return ((e - SUB + 1) << SUB) + (int) ((v >>> (e - SUB)) & ((1 << SUB) - 1));
        }
        static long mid(int i) {
            int e = i >> SUB;
            if (e == 0) return i;
            long lo = ((long) ((1 << SUB) + (i & ((1 << SUB) - 1)))) << (e - 1);
            return lo + ((1L << (e - 1)) >> 1);
        }
    }

    static final List<Cell> EMIT = new CopyOnWriteArrayList<>();
    static final List<Cell> SINK = new CopyOnWriteArrayList<>();
    static final List<Cell> REMOTE = new CopyOnWriteArrayList<>();
    static final List<Cell> ACK = new CopyOnWriteArrayList<>();
    static final List<Cell> FAIL = new CopyOnWriteArrayList<>();
    static final List<Cell> MID = new CopyOnWriteArrayList<>();
    static final List<Hist> LAT = new CopyOnWriteArrayList<>();
    static volatile long firstSinkMillis;

    static Cell cell(List<Cell> l) { Cell c = new Cell(); l.add(c); return c; }
    static Hist hist() { Hist h = new Hist(); LAT.add(h); return h; }

    /** A summed view; also what a worker process writes as one line. */
    public static final class Snap {
        long t, emit, sink, remote, ack, fail, mid, latN, latSum, cpuNs, first;
        long[] h = new long[Hist.SIZE];

        static Snap take() {
            Snap s = new Snap();
            s.t = System.currentTimeMillis();
            s.emit = sum(EMIT); s.sink = sum(SINK); s.remote = sum(REMOTE);
            s.ack = sum(ACK); s.fail = sum(FAIL); s.mid = sum(MID);
            for (Hist x : LAT) {
                s.latN += x.count.get(); s.latSum += x.sum.get();
                for (int i = 0; i < s.h.length; i++) s.h[i] += x.c[i];
            }
            s.cpuNs = cpu();
            s.first = firstSinkMillis;
            return s;
        }
        static long sum(List<Cell> l) { long r = 0; for (Cell c : l) r += c.get(); return r; }
        void plus(Snap o) {
            t = Math.max(t, o.t); emit += o.emit; sink += o.sink; remote += o.remote; ack += o.ack; fail += o.fail;
            mid += o.mid; latN += o.latN; latSum += o.latSum; cpuNs += o.cpuNs;
            if (o.first > 0 && (first == 0 || o.first < first)) first = o.first;
            for (int i = 0; i < h.length; i++) h[i] += o.h[i];
        }
        String line() {
            StringBuilder b = new StringBuilder();
            b.append(t).append(' ').append(emit).append(' ').append(sink).append(' ').append(remote).append(' ')
             .append(ack).append(' ').append(fail).append(' ').append(mid).append(' ').append(latN).append(' ')
             .append(latSum).append(' ').append(cpuNs).append(' ').append(first).append(' ');
            for (int i = 0; i < h.length; i++) if (h[i] != 0) b.append(i).append(':').append(h[i]).append(',');
            return b.append(".").toString();
        }
        static Snap parse(String line) {
            String[] p = line.split(" ");
            if (p.length != 12 || !p[11].endsWith(".")) return null;
            Snap s = new Snap();
            s.t = Long.parseLong(p[0]); s.emit = Long.parseLong(p[1]); s.sink = Long.parseLong(p[2]);
            s.remote = Long.parseLong(p[3]); s.ack = Long.parseLong(p[4]); s.fail = Long.parseLong(p[5]);
            s.mid = Long.parseLong(p[6]); s.latN = Long.parseLong(p[7]); s.latSum = Long.parseLong(p[8]);
            s.cpuNs = Long.parseLong(p[9]); s.first = Long.parseLong(p[10]);
            for (String kv : p[11].substring(0, p[11].length() - 1).split(",")) {
                int c = kv.indexOf(':');
                if (c > 0) s.h[Integer.parseInt(kv.substring(0, c))] += Long.parseLong(kv.substring(c + 1));
            }
            return s;
        }
    }

    static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean)
            java.lang.management.ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static boolean started;
    /** In a worker process: append a snapshot to DIR/PID.tsv every 200 ms. No-op when bench.dir is unset (LocalCluster). */
    static synchronized void report(Map<String, Object> conf) {
        Object dir = conf.get("bench.dir");
        if (started || dir == null) return;
        started = true;
        Thread t = new Thread(() -> {
            File f = new File(dir.toString(), ProcessHandle.current().pid() + ".tsv");
            try (PrintWriter w = new PrintWriter(new FileWriter(f))) {
                while (true) {
                    w.println(Snap.take().line());
                    w.flush();
                    Thread.sleep(200);
                }
            } catch (Exception e) {
                e.printStackTrace();
            }
        }, "bench-report");
        t.setDaemon(true);
        t.start();
    }

    private Meter() { }
}
