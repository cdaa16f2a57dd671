package gearpump.host;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads records and values of one frame. The executor is trusted: a frame that lies ends in an exception, and the host. */
final class In {
  private final byte[] bytes;
  private final Objects objects;
  private int at;

  In(byte[] bytes, int from, Objects objects) {
    this.bytes = bytes;
    this.at = from;
    this.objects = objects;
  }

  /** Where the next thing begins. */
  int at() {
    return at;
  }

  boolean more() {
    return at < bytes.length;
  }

  int u8() {
    return bytes[at++] & 0xff;
  }

  int i32() {
    int value =
        (bytes[at] << 24) | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | bytes[at + 3] & 0xff;
    at += 4;
    return value;
  }

  long i64() {
    long high = i32();
    return high << 32 | i32() & 0xffffffffL;
  }

  int count() {
    int value = 0;
    for (int shift = 0; ; shift += 7) {
      int next = u8();
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
  }

  byte[] block() {
    int length = count();
    byte[] block = Arrays.copyOfRange(bytes, at, at + length);
    at += length;
    return block;
  }

  List<Object> values() {
    int size = count();
    List<Object> values = new ArrayList<>(size);
    for (int i = 0; i < size; i++) values.add(value());
    return values;
  }

  String text() {
    return (String) value();
  }

  @SuppressWarnings("unchecked")
  Map<String, Object> map() {
    return (Map<String, Object>) value();
  }

  Object value() {
    int type = u8();
    switch (type) {
      case Wire.NULL:
        return null;
      case Wire.FALSE:
        return Boolean.FALSE;
      case Wire.TRUE:
        return Boolean.TRUE;
      case Wire.INT:
        return i32();
      case Wire.LONG:
        return i64();
      case Wire.DOUBLE:
        return Double.longBitsToDouble(i64());
      case Wire.LATIN:
        return latin();
      case Wire.WIDE:
        return wide();
      case Wire.BYTES:
        return block();
      case Wire.BIG:
        return new BigInteger(block());
      case Wire.LIST:
        return values();
      case Wire.MAP:
        return entries();
      case Wire.OTHER:
        return other();
      default:
        throw new IllegalStateException("no value begins with " + type);
    }
  }

  private String latin() {
    int length = count();
    String text = new String(bytes, at, length, StandardCharsets.ISO_8859_1);
    at += length;
    return text;
  }

  private String wide() {
    int length = count();
    char[] text = new char[length];
    for (int i = 0; i < length; i++, at += 2) {
      text[i] = (char) (bytes[at] & 0xff | bytes[at + 1] << 8);
    }
    return new String(text);
  }

  private Map<Object, Object> entries() {
    int size = count();
    Map<Object, Object> map = new LinkedHashMap<>(size * 2);
    for (int i = 0; i < size; i++) {
      Object key = value();
      map.put(key, value());
    }
    return map;
  }

  private Object other() {
    int kind = u8();
    i32();
    String text = text();
    switch (kind) {
      case Wire.FLOAT:
        return Float.valueOf(text);
      case Wire.SHORT:
        return Short.valueOf(text);
      case Wire.BYTE:
        return Byte.valueOf(text);
      case Wire.CHAR:
        return text.charAt(0);
      case Wire.DECIMAL:
        return new BigDecimal(text);
      case Wire.SMALL_BIG:
        return new BigInteger(text);
      default:
        return objects.read(kind, block());
    }
  }
}
