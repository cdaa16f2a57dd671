# -*- coding: utf-8 -*-
# MessagePack in plain Python, for storm.py where the package `msgpack` is not installed. It is about ten times slower
# than that package; components that care should install it. Strings travel as str, bytes as bin; raw strings that are
# not UTF-8 arrive as bytes. What may go wrong: whole numbers beyond 64 bits, extension types and nesting deeper than
# DEPTH_MAX are refused with a ValueError.

from struct import Struct, error as StructError

# Deeper values are a mistake or an attack; Python's own stack ends not far beyond.
DEPTH_MAX = 100
# A string or container beyond this is a broken stream rather than a value: memory is not reserved for it.
LENGTH_MAX = 100 * 1024 * 1024

_TEXT = type(u'')
_INTEGERS = (int,) if str is _TEXT else (int, type(1 << 70))
_U8, _U16, _U32, _U64 = (Struct('>B' + code) for code in 'BHIQ')
_I8, _I16, _I32, _I64 = (Struct('>B' + code) for code in 'bhiq')
_F64 = Struct('>Bd')
_BYTE = [bytes(bytearray([i])) for i in range(256)]


class _Incomplete(Exception):
    pass


def packer(default):
    """A function value -> bytes. `default` turns a value of an unknown type into one that can be packed, or raises."""
    def pack(value):
        parts = []
        _pack(value, parts.append, default, 0)
        return b''.join(parts)
    return pack


def _pack(value, add, default, depth):
    if depth > DEPTH_MAX:
        raise ValueError('a value is nested deeper than %d' % DEPTH_MAX)
    if value is None:
        add(b'\xc0')
    elif value is True or value is False:
        add(b'\xc3' if value else b'\xc2')
    elif isinstance(value, _INTEGERS):
        add(_integer(value))
    elif isinstance(value, float):
        add(_F64.pack(0xcb, value))
    elif isinstance(value, _TEXT):
        _pack_bytes(value.encode('utf-8'), add, 0xa0, 31, 0xd9)
    elif isinstance(value, str):  # Python 2: text, as its json module takes it
        _pack_bytes(value, add, 0xa0, 31, 0xd9)
    elif isinstance(value, (bytes, bytearray)):
        _pack_bytes(bytes(value), add, 0, -1, 0xc4)
    elif isinstance(value, dict):
        add(_length(len(value), 0x80, 15, 0xde))
        for key in value:
            _pack(key, add, default, depth + 1)
            _pack(value[key], add, default, depth + 1)
    elif isinstance(value, (list, tuple)):
        _pack_list(value, add, default, depth)
    else:
        _pack(default(value), add, default, depth + 1)


def _pack_list(values, add, default, depth):
    add(_length(len(values), 0x90, 15, 0xdc))
    for value in values:
        _pack(value, add, default, depth + 1)


def _pack_bytes(data, add, fixed, fixed_max, code):
    size = len(data)
    if size <= fixed_max:
        add(_BYTE[fixed | size])
    elif size < 0x100:
        add(_U8.pack(code, size))
    else:
        add(_U16.pack(code + 1, size) if size < 0x10000 else _U32.pack(code + 2, size))
    add(data)


def _length(count, fixed, fixed_max, code):
    if count <= fixed_max:
        return _BYTE[fixed | count]
    return _U16.pack(code, count) if count < 0x10000 else _U32.pack(code + 1, count)


def _integer(n):
    if -32 <= n < 128:
        return _BYTE[n & 0xff]
    if n >= 0:
        for code, form, bits in ((0xcc, _U8, 8), (0xcd, _U16, 16), (0xce, _U32, 32), (0xcf, _U64, 64)):
            if n < 1 << bits:
                return form.pack(code, n)
    else:
        for code, form, bits in ((0xd0, _I8, 7), (0xd1, _I16, 15), (0xd2, _I32, 31), (0xd3, _I64, 63)):
            if n >= -1 << bits:
                return form.pack(code, n)
    raise ValueError('%d does not fit into 64 bits, which is all that MessagePack has' % n)


class Unpacker(object):
    """Fed with chunks of bytes, gives whole values: `next(unpacker)`, or StopIteration until more is fed."""

    def __init__(self):
        self.data, self.at = b'', 0

    def feed(self, chunk):
        self.data, self.at = self.data[self.at:] + bytes(chunk), 0

    def __iter__(self):
        return self

    def __next__(self):
        start = self.at
        try:
            if start == len(self.data):
                raise StopIteration
            return self._value(0)
        except (_Incomplete, StructError):
            self.at = start
            raise StopIteration

    next = __next__

    def _take(self, size):
        if size > LENGTH_MAX:
            raise ValueError('a MessagePack value of %d bytes is longer than %d' % (size, LENGTH_MAX))
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise _Incomplete()
        return self.data[start:self.at]

    def _number(self, code):
        form = Struct('>' + code)
        return form.unpack(self._take(form.size))[0]

    def _value(self, depth):
        if depth > DEPTH_MAX:
            raise ValueError('a MessagePack value is nested deeper than %d' % DEPTH_MAX)
        first = ord(self._take(1))
        if first < 0x80:
            return first
        if first >= 0xe0:
            return first - 0x100
        if first < 0x90:
            return self._map(first & 15, depth)
        if first < 0xa0:
            return self._list(first & 15, depth)
        if first < 0xc0:
            return self._text(first & 31)
        return self._tagged(first, depth)

    def _tagged(self, first, depth):
        if first in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[first]
        if 0xca <= first <= 0xd3:
            return self._number('fdBHIQbhiq'[first - 0xca])
        if 0xc4 <= first <= 0xc6:
            return self._take(self._number('BHI'[first - 0xc4]))
        if 0xd9 <= first <= 0xdb:
            return self._text(self._number('BHI'[first - 0xd9]))
        if first in (0xdc, 0xdd):
            return self._list(self._number('HI'[first - 0xdc]), depth)
        if first in (0xde, 0xdf):
            return self._map(self._number('HI'[first - 0xde]), depth)
        raise ValueError('byte 0x%02x starts no MessagePack value that this module knows' % first)

    def _text(self, size):
        raw = self._take(size)
        try:
            return raw.decode('utf-8')
        except UnicodeDecodeError:
            return raw

    def _list(self, count, depth):
        self._expect(count)
        return [self._value(depth + 1) for _ in range(count)]

    def _map(self, count, depth):
        self._expect(2 * count)
        return dict([(self._value(depth + 1), self._value(depth + 1)) for _ in range(count)])

    def _expect(self, count):
        # Every element takes a byte at least, so a length beyond what has arrived need not be tried.
        if count > LENGTH_MAX:
            raise ValueError('a MessagePack value of %d elements is longer than %d' % (count, LENGTH_MAX))
        if count > len(self.data) - self.at:
            raise _Incomplete()
