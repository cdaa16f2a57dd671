package gearpump.host;

/** Where tuples of one edge come from. */
final class Origin {
  final String component;
  final String stream;

  Origin(String component, String stream) {
    this.component = component;
    this.stream = stream;
  }
}
