package gearpump.host;

/**
 * The letters of the protocol between an engine's executor and this host; host-protocol.ts has the same. A frame is a length
 * of four bytes, a kind, and what the kind says; all numbers in network order.
 */
final class Wire {
  private Wire() {}

  // Frames to the host.
  static final int SETUP = 1;
  static final int OPEN = 2;
  static final int BATCH = 3;
  static final int CREDIT = 4;
  static final int TASKS = 5;
  static final int PING = 6;

  // Frames from the host; BATCH goes both ways.
  static final int LOG = 4;
  static final int READY = 5;
  static final int PONG = 6;

  // Records in a batch to the host.
  static final int EXECUTE = 1;
  static final int TICK = 2;
  static final int NEXT = 3;
  static final int DONE = 4;
  static final int FAILED = 5;
  static final int ACTIVATE = 6;
  static final int DEACTIVATE = 7;
  static final int CLOSE = 8;
  static final int CREDENTIALS = 9;

  // Records in a batch from the host.
  static final int EMIT = 1;
  static final int ACK = 2;
  static final int FAIL = 3;
  static final int RENEW = 4;
  static final int EXECUTED = 5;
  static final int ASKED = 6;
  static final int REPORT = 7;
  static final int OPENED = 8;
  static final int THREW = 9;
  static final int CLOSED = 10;
  static final int METRIC = 11;
  static final int WANT_TASKS = 12;
  static final int CALLED = 13;

  // Flags of an emit.
  static final int ONE_ANCHOR = 1;
  static final int MANY_ANCHORS = 2;
  static final int DIRECT = 4;
  static final int WITH_ID = 8;
  static final int CHOSEN = 16;

  // Types of values.
  static final int NULL = 0;
  static final int FALSE = 1;
  static final int TRUE = 2;
  static final int INT = 3;
  static final int LONG = 4;
  static final int DOUBLE = 5;
  static final int LATIN = 6;
  static final int WIDE = 7;
  static final int BYTES = 8;
  static final int BIG = 9;
  static final int LIST = 10;
  static final int MAP = 11;
  static final int OTHER = 12;

  // What OTHER is: a number that the other side has no type for, or an object as bytes.
  static final int FLOAT = 1;
  static final int SHORT = 2;
  static final int BYTE = 3;
  static final int CHAR = 4;
  static final int DECIMAL = 5;
  static final int SMALL_BIG = 6;
  static final int KRYO = 7;
  static final int SERIALIZED = 8;

  /** Longest frame: a component with a table of its own, or one tuple of 64 MiB. */
  static final int FRAME_MAX = 128 * 1024 * 1024;

  /** Values nested deeper than this contain themselves. */
  static final int DEPTH_MAX = 400;
}
