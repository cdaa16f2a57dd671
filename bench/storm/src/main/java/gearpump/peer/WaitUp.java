package gearpump.peer;

import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

/** Returns when nimbus answers and lists at least one supervisor. */
public final class WaitUp {
    public static void main(String[] args) throws Exception {
        long limit = System.currentTimeMillis() + 90_000;
        while (System.currentTimeMillis() < limit) {
            try (NimbusClient c = NimbusClient.Builder.withConf(Utils.readStormConfig()).build()) {
                if (c.getClient().getClusterInfo().get_supervisors_size() > 0) Runtime.getRuntime().halt(0);
            } catch (Exception e) { /* not yet */ }
            Thread.sleep(200);
        }
        System.err.println("no supervisor after 90 s");
        Runtime.getRuntime().halt(1);
    }
}
