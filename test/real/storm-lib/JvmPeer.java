// The same topologies on Storm's own LocalCluster, of 2.x, to compare with: JvmPeer NAME DIRECTORY SECONDS [KEY=VALUE]...
// It ends when the file `stop` is in the directory, at the latest after the seconds, and prints the messages acked each second.
import java.io.File;
import java.util.HashMap;
import java.util.Map;
import org.apache.storm.LocalCluster;

public final class JvmPeer {
  private static final long LOOK_MS = 1000;

  public static void main(String[] args) throws Exception {
    Map<String, Object> conf = new HashMap<>();
    conf.put("tour.dir", args[1]);
    JvmTour.settings(conf, args, 3);
    File stop = new File(args[1], "stop");
    try (LocalCluster cluster = new LocalCluster()) {
      cluster.submitTopology(args[0], conf, JvmTour.topology(args[0]));
      long untilMs = System.currentTimeMillis() + Long.parseLong(args[2]) * 1000;
      long before = 0;
      while (System.currentTimeMillis() < untilMs && !stop.exists()) {
        Thread.sleep(LOOK_MS);
        long acked = JvmTour.Flood.ACKED.get();
        System.out.println("acked in a second: " + (acked - before));
        before = acked;
      }
    }
    System.exit(0);
  }
}
