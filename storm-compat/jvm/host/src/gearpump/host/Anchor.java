package gearpump.host;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * What a tuple's MessageId holds here instead of Storm's roots: the number under which the executor holds the tuple. It looks like
 * the map that Storm has there, for whoever prints it.
 */
final class Anchor extends AbstractMap<Long, Long> {
  final int hold;

  Anchor(int hold) {
    this.hold = hold;
  }

  @Override
  public Set<Map.Entry<Long, Long>> entrySet() {
    Map.Entry<Long, Long> entry = new SimpleImmutableEntry<>((long) hold, (long) hold);
    return Collections.singleton(entry);
  }
}
