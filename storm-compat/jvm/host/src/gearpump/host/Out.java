package gearpump.host;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Writes records and values into a buffer that grows. Types that both sides know travel as such, boxed numbers that JavaScript
 * lacks with their text, everything else as bytes that only another host of the same line opens.
 */
final class Out {
  private static final int FIRST_BYTES = 1024;
  /** A buffer that one large tuple has blown up is not kept. */
  private static final int KEPT_BYTES = 256 * 1024;

  private final Objects objects;
  private byte[] bytes = new byte[FIRST_BYTES];
  private int size;

  /** {@code objects}: null where only plain values are written. */
  Out(Objects objects) {
    this.objects = objects;
  }

  int size() {
    return size;
  }

  byte[] array() {
    return bytes;
  }

  void reset(int to) {
    size = to;
    if (bytes.length > KEPT_BYTES) bytes = Arrays.copyOf(bytes, KEPT_BYTES);
  }

  private void room(int more) {
    if (size + more <= bytes.length) return;
    if (size + (long) more > Wire.FRAME_MAX) {
      throw new IllegalArgumentException("a tuple of more than " + Wire.FRAME_MAX + " bytes cannot be sent");
    }
    bytes = Arrays.copyOf(bytes, Math.max(size + more, 2 * bytes.length));
  }

  void u8(int value) {
    room(1);
    bytes[size++] = (byte) value;
  }

  void i32(int value) {
    room(4);
    bytes[size++] = (byte) (value >> 24);
    bytes[size++] = (byte) (value >> 16);
    bytes[size++] = (byte) (value >> 8);
    bytes[size++] = (byte) value;
  }

  void i32At(int at, int value) {
    bytes[at] = (byte) (value >> 24);
    bytes[at + 1] = (byte) (value >> 16);
    bytes[at + 2] = (byte) (value >> 8);
    bytes[at + 3] = (byte) value;
  }

  void i64(long value) {
    i32((int) (value >> 32));
    i32((int) value);
  }

  /** Seven bits a byte, the lowest first. */
  void count(int value) {
    room(5);
    while (value >= 0x80) {
      bytes[size++] = (byte) (value | 0x80);
      value >>>= 7;
    }
    bytes[size++] = (byte) value;
  }

  void block(byte[] block) {
    count(block.length);
    room(block.length);
    System.arraycopy(block, 0, bytes, size, block.length);
    size += block.length;
  }

  void values(List<?> values) {
    count(values.size());
    for (int i = 0; i < values.size(); i++) value(values.get(i), 0);
  }

  void value(Object value) {
    value(value, 0);
  }

  private void value(Object value, int depth) {
    if (value instanceof String) text((String) value);
    else if (value == null) u8(Wire.NULL);
    else if (value instanceof Integer) {
      u8(Wire.INT);
      i32((Integer) value);
    } else if (value instanceof Long) {
      u8(Wire.LONG);
      i64((Long) value);
    } else if (value instanceof Double) {
      u8(Wire.DOUBLE);
      i64(Double.doubleToRawLongBits((Double) value));
    } else if (value instanceof Boolean) u8((Boolean) value ? Wire.TRUE : Wire.FALSE);
    else if (value instanceof byte[]) {
      u8(Wire.BYTES);
      block((byte[]) value);
    } else structure(value, depth);
  }

  private void structure(Object value, int depth) {
    if (depth > Wire.DEPTH_MAX) {
      throw new IllegalArgumentException("a value is nested deeper than " + Wire.DEPTH_MAX + " levels");
    }
    if (value instanceof List && isPlain(value)) {
      Collection<?> list = (List<?>) value;
      u8(Wire.LIST);
      count(list.size());
      for (Object item : list) value(item, depth + 1);
    } else if (value instanceof Map && isPlain(value)) {
      Map<?, ?> map = (Map<?, ?>) value;
      u8(Wire.MAP);
      count(map.size());
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        value(entry.getKey(), depth + 1);
        value(entry.getValue(), depth + 1);
      }
    } else if (value instanceof BigInteger && ((BigInteger) value).bitLength() > 63) {
      u8(Wire.BIG);
      block(((BigInteger) value).toByteArray());
    } else other(value);
  }

  // A user's own list may be more than its items; of the JDK's and of Storm's nothing else is kept anyway.
  private boolean isPlain(Object value) {
    return objects == null || !objects.isUsers(value.getClass());
  }

  private void other(Object value) {
    int kind = numberKind(value);
    byte[] content = null;
    if (kind == 0) {
      content = objects.write(value);
      kind = objects.lastKind();
    }
    u8(Wire.OTHER);
    u8(kind);
    i32(value.hashCode());
    text(String.valueOf(value));
    if (content != null) block(content);
  }

  private static int numberKind(Object value) {
    if (value instanceof Float) return Wire.FLOAT;
    if (value instanceof Short) return Wire.SHORT;
    if (value instanceof Byte) return Wire.BYTE;
    if (value instanceof Character) return Wire.CHAR;
    if (value instanceof BigDecimal) return Wire.DECIMAL;
    return value instanceof BigInteger ? Wire.SMALL_BIG : 0;
  }

  /** One byte a character where that is enough, else two. */
  void text(String text) {
    int length = text.length();
    room(length + 6);
    int start = size;
    bytes[size++] = Wire.LATIN;
    count(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c > 0xff) {
        size = start;
        wide(text);
        return;
      }
      bytes[size++] = (byte) c;
    }
  }

  private void wide(String text) {
    int length = text.length();
    room(2 * length + 6);
    bytes[size++] = Wire.WIDE;
    count(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      // The lower byte first: so the other side reads it at one go.
      bytes[size++] = (byte) c;
      bytes[size++] = (byte) (c >> 8);
    }
  }
}
