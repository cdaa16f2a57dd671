# -*- coding: utf-8 -*-
# The Python side of the multi-lang protocol: a drop-in for the module `storm` of Apache Storm. It sits in the child
# process of a bolt or spout and speaks on stdin and stdout with any host that knows the protocol. Components written
# for Storm's own module run unchanged; what differs is the cost:
#
# - Messages wait in a buffer and leave together: before the component waits for input, when the buffer is full, after
#   an error, at exit, and otherwise after FLUSH_AFTER_S at the latest, so that slow components stay alive for the host.
# - emit() does not wait for the task ids. It returns a TaskIds, which looks like the list of ids and waits when it is
#   looked at. When nobody holds it at the time of writing, the host is told not to send ids at all.
# - stdin and stdout are taken away from user code: what it prints goes to stderr, and so do its own child processes.
#
# JSON is the default; `-s msgpack` on the command line or GEARPUMP_MULTILANG_SERIALIZER=msgpack selects MessagePack.
# Works on CPython 2.7 and 3.6 or later; without reference counting (PyPy) it is right too, but asks for more ids.
# What may go wrong: the host goes away (run() then returns quietly), or it answers need_task_ids:false with ids all the
# same (they end in pending_taskids, where only readTaskIds looks).

import atexit
import errno
import json
import os
import select
import sys
import threading
import time
import traceback
import weakref
from collections import deque

try:
    import simplejson  # only for values that the standard module refuses, such as Decimal
except ImportError:
    simplejson = None

# One read takes what a Linux pipe can hold; more would not come at once anyway.
READ_BYTES_MAX = 65536
# A full buffer is written out; as much again as a pipe holds makes the system call cheap.
BUFFER_BYTES_MAX = 65536
# What a component that computes or sleeps has emitted leaves after this time; below what a person or a timer notices.
FLUSH_AFTER_S = 0.01
# Ids of raw emitBolt calls that nobody reads are dropped from here on, oldest first.
UNREAD_TASK_IDS_MAX = 10000
# What poll() calls writable takes at least this much without blocking (PIPE_BUF).
SAFE_WRITE_BYTES = 4096

MODE = None
ANCHOR_TUPLE = None
# Commands read while waiting for task ids, and ids read while waiting for commands.
pending_commands = deque()
pending_taskids = deque(maxlen=UNREAD_TASK_IDS_MAX)

_out = deque()    # encoded messages; an emit is (head, weak reference to its TaskIds or None)
_buffered = 0     # their length
_asked = deque()  # the references of emits whose ids the host was asked for, in the order of its answers
_wire = None      # how messages look: a _JsonWire or a _MsgpackWire


class EndOfInput(Exception):
    """The host closed our input: it is time to end."""


# --- values ---------------------------------------------------------------------------------------------------------

def _plain(value):
    if type(value) is TaskIds:
        return value._ids
    raise TypeError('a %s cannot be sent to another component' % type(value).__name__)


_json_encoder = json.JSONEncoder(separators=(',', ':'), default=_plain)
_json_scan = json.JSONDecoder().scan_once
_quote = json.encoder.encode_basestring_ascii
_QUICK = {str: _quote, int: str}
if sys.version_info[0] == 2:
    _QUICK[type(u'')] = _quote


def json_encode(x):
    try:
        return _json_encoder.encode(x)
    except TypeError:
        if simplejson is None:
            raise
        return simplejson.dumps(x, default=_plain)


def json_decode(x):
    return json.loads(x)


_own_decode = json_decode


class _JsonWire(object):
    """One JSON text and a line `end`. An emit is head + tail; which tail is known only when it is written."""

    EMPTY = ''
    START = dict.fromkeys(range(3, 7), '{"command":"emit"')
    STREAM, ANCHORS, ID, TASK, TUPLE = ',"stream":', ',"anchors":', ',"id":', ',"task":', ',"tuple":'
    TAIL_ASK, TAIL_NO = '}\nend\n', ',"need_task_ids":false}\nend\n'
    ACK, FAIL, END = '{"command":"ack","id":', '{"command":"fail","id":', '}\nend\n'
    SYNC = '{"command":"sync"}\nend\n'

    def __init__(self):
        self.rest, self.text, self.at = bytearray(), u'', 0
        if json_decode is not _own_decode:  # the component brought its own
            self.next = self.next_slowly

    def value(self, value):
        quick = _QUICK.get(type(value))
        return json_encode(value) if quick is None else quick(value)

    def values(self, values):
        # Rows of plain strings and whole numbers need no encoder object; everything else takes the long way.
        if type(values) is list or type(values) is tuple:
            try:
                if len(values) == 1:
                    return '[' + _QUICK[type(values[0])](values[0]) + ']'
                return '[' + ','.join([_QUICK[type(v)](v) for v in values]) + ']'
            except KeyError:
                pass  # some other type: below
        return json_encode(values)

    def message(self, message):
        return json_encode(message) + '\nend\n'

    def bytes_of(self, parts):
        return ''.join(parts).encode('utf-8')

    def feed(self, chunk):
        # Only whole messages are decoded, many at once. `rest` holds the beginning of the next one.
        rest = self.rest
        new = max(0, len(rest) - 5)
        rest += chunk
        if rest.find(b'\nend\r\n', new) >= 0:
            rest[:] = rest.replace(b'\r\n', b'\n')
            new = 0
        end = rest.rfind(b'\nend\n', new)
        if end >= 0:
            self.text, self.at = bytes(rest[:end + 5]).decode('utf-8', 'replace'), 0
            del rest[:end + 5]

    def next(self):
        """The next message that has arrived, or StopIteration."""
        text, at = self.text, self.at
        if at < len(text):
            try:
                message, end = _json_scan(text, at)
                if text.startswith('\nend\n', end):
                    self.at = end + 5
                    return message
            except (StopIteration, ValueError):
                pass  # blanks, or not JSON: json_decode knows what to say
        return self.next_slowly()

    def next_slowly(self):
        text, at = self.text, self.at
        if at >= len(text):
            raise StopIteration
        end = text.index('\nend\n', at)
        self.at = end + 5
        return json_decode(text[at:end])


class _MsgpackWire(object):
    """Bare MessagePack maps, one after the other. The last key of an emit is always need_task_ids."""

    EMPTY = b''
    END = b''

    def __init__(self):
        try:
            import msgpack
            pack = msgpack.Packer(use_bin_type=True, default=_plain).pack
            self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        except ImportError:
            import storm_msgpack
            pack = storm_msgpack.packer(_plain)
            self.unpacker = storm_msgpack.Unpacker()
        self.value = self.values = self.message = pack
        self.feed = self.unpacker.feed
        self.next = self.unpacker.__next__
        named = pack('command') + pack('emit')
        self.START = dict((n, bytes(bytearray([0x80 | n])) + named) for n in range(3, 7))
        self.STREAM, self.ANCHORS, self.ID = pack('stream'), pack('anchors'), pack('id')
        self.TASK, self.TUPLE = pack('task'), pack('tuple')
        self.TAIL_ASK, self.TAIL_NO = pack('need_task_ids') + b'\xc3', pack('need_task_ids') + b'\xc2'
        self.ACK = b'\x82' + pack('command') + pack('ack') + pack('id')
        self.FAIL = b'\x82' + pack('command') + pack('fail') + pack('id')
        self.SYNC = pack({'command': 'sync'})

    def bytes_of(self, parts):
        return b''.join(parts)


def _serializer():
    for flag, name in zip(sys.argv[1:], sys.argv[2:]):
        if flag in ('-s', '--serializer') and name in ('json', 'msgpack'):
            return name
    name = os.environ.get('GEARPUMP_MULTILANG_SERIALIZER') or 'json'
    if name not in ('json', 'msgpack'):
        raise ValueError('GEARPUMP_MULTILANG_SERIALIZER is %r: use json or msgpack' % name)
    return name


# --- the two pipes --------------------------------------------------------------------------------------------------

_in_fd = _out_fd = _pid = _main = None
_reading = False          # true while the main thread waits for input: then nothing may stay in the buffer
_ended = False            # the host has closed our input
_gone = False             # the host does not listen any more
_finished = False         # the interpreter is about to end
_arrived = deque()        # chunks read while we could not write
_unsent = memoryview(b'')
_writing = False
# Re-entrant, because a signal handler of the component may log in the middle of a write.
_write_lock = threading.RLock()
_watch_lock = threading.Lock()


def _take_pipes():
    """Takes stdin and stdout away from the component, once."""
    global _in_fd, _out_fd
    if _in_fd is not None:
        return
    _in_fd, _out_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout.flush()  # what was printed before this line goes to stderr too
    sys.stdout = sys.stderr


def _open():
    """Gets ready to talk. Not at import: a test may import a component and nothing more."""
    global _wire, _pid, _main
    if _wire is not None:
        return _wire
    wire = _MsgpackWire() if _serializer() == 'msgpack' else _JsonWire()
    _take_pipes()
    _pid, _main = os.getpid(), threading.current_thread()
    atexit.register(_finish)
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=_start_over)
    else:
        os.fork = _before_3_7(os.fork)
    _watch_lock.acquire()
    watcher = threading.Thread(target=_watch, name='storm-flush')
    watcher.daemon = True
    watcher.start()
    _wire = wire
    return wire


if 'GEARPUMP_MULTILANG_SERIALIZER' in os.environ:
    _take_pipes()  # this host tells that we are a component, so even what is printed while importing does no harm


def _watch(sleep=time.sleep):
    # Sleeps in acquire() while the main thread waits for input, so an idle component costs nothing.
    while True:
        _watch_lock.acquire()
        while not _reading or _out or _unsent:
            sleep(FLUSH_AFTER_S)
            if _finished is not False:  # Python 2 sets our names to None before it ends this thread
                return
            _flush()


def _wake_watcher():
    try:
        if _watch_lock.locked():
            _watch_lock.release()
    except threading.ThreadError:
        pass  # another thread was faster


def _start_over():
    # A process forked by the component must not send its parent's messages again. It has no watcher: all leaves at once.
    global _reading, _unsent, _writing, _write_lock, _main
    _out.clear()
    _asked.clear()
    _reading, _unsent, _writing, _write_lock = True, memoryview(b''), False, threading.RLock()
    _main = threading.current_thread()


def _before_3_7(fork):
    def fork_and_start_over():
        pid = fork()
        if pid == 0:
            _start_over()
        return pid
    return fork_and_start_over


def _finish():
    global _finished
    _finished = True
    if os.getpid() == _pid:
        _flush()


def _flush():
    """Writes what is buffered: the main thread all of it, other threads as much as there is room for."""
    global _writing
    with _write_lock:
        if _writing:
            return  # a signal handler inside our own write, which looks again before it ends
        _writing = True
        try:
            while (_out or _unsent) and _write_out(threading.current_thread() is _main):
                pass
        finally:
            _writing = False
    while _buffered >= BUFFER_BYTES_MAX and threading.current_thread() is not _main:
        # The host is slower than this thread, which therefore waits, without the lock, so that the main one can read.
        select.select([], [_out_fd], [], FLUSH_AFTER_S)
        with _write_lock:
            if not _writing:
                _write_out(False)
    if _out or _unsent:
        _wake_watcher()  # the rest leaves when there is room


def _write_out(to_the_end):
    global _unsent, _gone
    if not _unsent:
        _unsent = memoryview(_wire.bytes_of(_take_parts()))
    if _gone:
        _unsent = memoryview(b'')
    try:
        while _unsent:
            if _asked or not to_the_end:
                if not _room(to_the_end):
                    return False
                sent = os.write(_out_fd, _unsent[:SAFE_WRITE_BYTES])
            else:
                sent = os.write(_out_fd, _unsent)
            _unsent = _unsent[sent:]
    except (IOError, OSError) as problem:
        if problem.errno == errno.EAGAIN:
            return _room(to_the_end)
        if problem.errno not in (errno.EPIPE, errno.ECONNRESET, errno.EBADF):
            raise
        _gone, _unsent = True, memoryview(b'')
    return True


def _take_parts():
    # Here it is decided whether an emit asks for its ids: only if somebody still holds the result.
    global _buffered
    wire, parts, _buffered = _wire, [], 0
    while _out:
        message = _out.popleft()
        if type(message) is not tuple:
            parts.append(message)
            continue
        head, reference = message
        parts.append(head)
        if reference is not None and reference() is None:
            parts.append(wire.TAIL_NO)
        else:
            _asked.append(reference)
            parts.append(wire.TAIL_ASK)
    return parts


def _room(wait):
    # A host that answers emits may be stuck in its write while we are stuck in ours: so the main thread reads meanwhile.
    global _ended
    if not wait:
        return bool(select.select([], [_out_fd], [], 0)[1])
    while True:
        readable, writable, _ = select.select([] if _ended else [_in_fd], [_out_fd], [])
        if writable:
            return True
        chunk = os.read(_in_fd, READ_BYTES_MAX)
        _ended = not chunk
        _arrived.append(chunk)


def _read_chunk():
    global _reading, _ended
    _reading = True
    try:
        _flush()
        if _arrived:
            return _arrived.popleft()
        if _gone or _ended:
            return b''
        chunk = os.read(_in_fd, READ_BYTES_MAX)
        _ended = not chunk
        return chunk
    finally:
        _reading = False
        _wake_watcher()


def _send(message):
    global _buffered
    _out.append(message)
    _buffered += len(message)
    if _reading or _buffered >= BUFFER_BYTES_MAX:
        _flush()


# --- messages of the host -------------------------------------------------------------------------------------------

def _receive():
    # The next command, or a list of ids for readTaskIds, or None after ids that belonged to a TaskIds.
    wire = _wire or _open()
    while True:
        try:
            message = wire.next()
            break
        except StopIteration:
            chunk = _read_chunk()
            if not chunk:
                raise EndOfInput('Read EOF from stdin')
            wire.feed(chunk)
    if type(message) is list and _asked:
        reference = _asked.popleft()
        if reference is not None:
            result = reference()
            if result is not None:
                result._ids = message
            return None
    return message


def readMsg():
    """The next message of the host, whatever it is, except ids that answer emit(). EndOfInput when there are no more."""
    while True:
        message = _receive()
        if message is not None:
            return message


def readCommand():
    if pending_commands:
        return pending_commands.popleft()
    while True:
        message = _receive()
        if type(message) is list:
            pending_taskids.append(message)
        elif message is not None:
            return message


def readTaskIds():
    """The ids that answer an emitBolt, emitSpout or an emit sent by sendMsgToParent. Not needed after emit()."""
    while not pending_taskids:
        message = _receive()
        if type(message) is list:
            pending_taskids.append(message)
        elif message is not None:
            pending_commands.append(message)
    return pending_taskids.popleft()


def readTuple():
    cmd = readCommand()
    return Tuple(cmd['id'], cmd['comp'], cmd['stream'], cmd['task'], cmd['tuple'])


def initComponent():
    setup = readMsg()
    sendpid(setup['pidDir'])
    return [setup['conf'], setup['context']]


# --- messages to the host -------------------------------------------------------------------------------------------

class TaskIds(object):
    """The ids of the tasks that got a tuple: a list that waits for the host's answer when it is first looked at."""

    __slots__ = ('_ids', '__weakref__')
    __hash__ = None
    __class__ = property(lambda self: list)

    def __getattr__(self, name):
        if name == '_ids':
            _wait_for(self)
            return object.__getattribute__(self, '_ids')
        return getattr(self._ids, name)

    def __reduce_ex__(self, protocol):
        return list, (list(self._ids),)


def _wait_for(result):
    has_ids = TaskIds.__dict__['_ids'].__get__
    while True:
        try:
            return has_ids(result, TaskIds)
        except AttributeError:
            pass
        if threading.current_thread() is not _main:  # only one thread reads
            if _ended or _gone:
                raise EndOfInput('Read EOF from stdin')
            time.sleep(FLUSH_AFTER_S)
            continue
        message = _receive()
        if type(message) is list:
            pending_taskids.append(message)
        elif message is not None:
            pending_commands.append(message)


def _like_list(name):
    def method(self, *args):
        return getattr(self._ids, name)(*[a._ids if type(a) is TaskIds else a for a in args])
    method.__name__ = name
    return method


for _name in ('len iter reversed getitem setitem delitem contains add iadd mul rmul imul eq ne lt le gt ge repr str '
              'getslice').split():
    if hasattr(list, '__%s__' % _name):
        setattr(TaskIds, '__%s__' % _name, _like_list('__%s__' % _name))
TaskIds.__radd__ = lambda self, other: other + self._ids

_anchor = _anchor_head = None


def emit(tup, *args, **kwargs):
    """Emits a tuple, to the tasks that the groupings choose. The result acts as the list of their ids."""
    global _buffered, _anchor, _anchor_head
    wire = _wire or _open()
    if _buffered >= BUFFER_BYTES_MAX:
        _flush()  # before this emit, whose result cannot have been dropped yet
    result = TaskIds()
    if kwargs or args or ANCHOR_TUPLE is None or MODE is Spout:
        head = (_spout_head if MODE is Spout else _bolt_head)(tup, *args, **kwargs)
        task = args[2] if len(args) > 2 else kwargs.get('directTask')
        if task is not None:
            _send(head + wire.TAIL_NO)
            result._ids = [task]
            return result
    else:
        if _anchor is not ANCHOR_TUPLE:
            _anchor, _anchor_head = ANCHOR_TUPLE, _bolt_start(wire)
        head = _anchor_head + wire.values(tup)
    _out.append((head, _reference(result)))
    _buffered += len(head)
    if _reading:
        _flush()
    return result


_reference = weakref.ref


def emitDirect(task, *args, **kwargs):
    kwargs['directTask'] = task
    (emitSpout if MODE is Spout else emitBolt)(*args, **kwargs)


def emitBolt(tup, stream=None, anchors=(), directTask=None):
    _emit_raw(_bolt_head(tup, stream, anchors, directTask), directTask)


def emitSpout(tup, stream=None, id=None, directTask=None):
    _emit_raw(_spout_head(tup, stream, id, directTask), directTask)


def _emit_raw(head, task):
    # Without a result, somebody may call readTaskIds: so the ids must come.
    global _buffered
    if task is not None:
        return _send(head + _wire.TAIL_NO)
    _out.append((head, None))
    _buffered += len(head)
    if _reading or _buffered >= BUFFER_BYTES_MAX:
        _flush()


def _bolt_start(wire):
    return wire.START[4] + wire.ANCHORS + wire.values([ANCHOR_TUPLE.id]) + wire.TUPLE


def _bolt_head(tup, stream=None, anchors=(), directTask=None):
    wire = _wire or _open()
    if ANCHOR_TUPLE is not None:
        anchors = [ANCHOR_TUPLE]
    head = wire.START[4 + (stream is not None) + (directTask is not None)]
    if stream is not None:
        head += wire.STREAM + wire.value(stream)
    head += wire.ANCHORS + wire.values([a.id for a in anchors])
    if directTask is not None:
        head += wire.TASK + wire.value(directTask)
    return head + wire.TUPLE + wire.values(tup)


def _spout_head(tup, stream=None, id=None, directTask=None):
    wire = _wire or _open()
    head = wire.START[3 + (stream is not None) + (id is not None) + (directTask is not None)]
    if stream is not None:
        head += wire.STREAM + wire.value(stream)
    if id is not None:
        head += wire.ID + wire.value(id)
    if directTask is not None:
        head += wire.TASK + wire.value(directTask)
    return head + wire.TUPLE + wire.values(tup)


def sendMsgToParent(msg):
    """Sends any message. The ids that answer an emit sent this way are for readTaskIds."""
    wire = _wire or _open()
    message = wire.message(msg)
    if isinstance(msg, dict) and msg.get('command') == 'emit' and not msg.get('task'):
        if msg.get('need_task_ids') is not False:
            _flush()
            _asked.append(None)
    _send(message)


def sendpid(heartbeatdir):
    pid = os.getpid()
    sendMsgToParent({'pid': pid})
    open(os.path.join(heartbeatdir, str(pid)), 'w').close()


def sync():
    _send((_wire or _open()).SYNC)


def ack(tup):
    wire = _wire or _open()
    _send(wire.ACK + wire.value(tup.id) + wire.END)


def fail(tup):
    wire = _wire or _open()
    _send(wire.FAIL + wire.value(tup.id) + wire.END)


def reportError(msg):
    sendMsgToParent({'command': 'error', 'msg': _text(msg)})
    _flush()  # the process may be about to die


def log(msg, level=2):
    sendMsgToParent({'command': 'log', 'msg': _text(msg), 'level': level})
    if level >= 4:
        _flush()


def _text(msg):
    return msg if isinstance(msg, (str, type(u''))) else str(msg)


def logTrace(msg):
    log(msg, 0)


def logDebug(msg):
    log(msg, 1)


def logInfo(msg):
    log(msg, 2)


def logWarn(msg):
    log(msg, 3)


def logError(msg):
    log(msg, 4)


def rpcMetrics(name, params):
    sendMsgToParent({'command': 'metrics', 'name': name, 'params': params})


# --- components -----------------------------------------------------------------------------------------------------

class Tuple(object):
    """A tuple that a bolt was given."""

    def __init__(self, id, component, stream, task, values):
        self.id = id
        self.component = component
        self.stream = stream
        self.task = task
        self.values = values

    def __repr__(self):
        return '<%s %s>' % (type(self).__name__, ' '.join('%s=%r' % item for item in sorted(vars(self).items())))

    def is_heartbeat_tuple(self):
        return self.task == -1 and self.stream == '__heartbeat'


class _Component(object):
    def initialize(self, conf, context):
        pass

    def run(self):
        """Serves the host until it closes our input, or an exception ends the component."""
        global MODE
        MODE = Spout if isinstance(self, Spout) else Bolt
        try:
            conf, context = initComponent()
        except EndOfInput:
            return
        try:
            self.initialize(conf, context)
            while True:
                self._step()
        except EndOfInput:
            pass
        except Exception:
            reportError(traceback.format_exc())
        finally:
            _flush()


class Bolt(_Component):
    """A bolt that acks and fails by itself."""

    def process(self, tuple):
        pass

    def _step(self):
        tup = readTuple()
        if tup.is_heartbeat_tuple():
            sync()
        else:
            self.process(tup)


class BasicBolt(_Component):
    """A bolt whose emits are anchored to its input, which is acked afterwards, or failed if process() raises."""

    def process(self, tuple):
        pass

    def _step(self):
        global ANCHOR_TUPLE
        tup = readTuple()
        if tup.is_heartbeat_tuple():
            sync()
            return
        ANCHOR_TUPLE = tup
        try:
            self.process(tup)
            ack(tup)
        except EndOfInput:
            raise
        except Exception:
            reportError(traceback.format_exc())
            fail(tup)


class Spout(_Component):
    """A spout: nextTuple emits, with an id when ack(id) or fail(id) shall follow."""

    def activate(self):
        pass

    def deactivate(self):
        pass

    def ack(self, id):
        pass

    def fail(self, id):
        pass

    def nextTuple(self):
        pass

    def _step(self):
        msg = readCommand()
        command = msg['command']
        if command == 'next':
            self.nextTuple()
        elif command in ('ack', 'fail'):
            getattr(self, command)(msg['id'])
        elif command in ('activate', 'deactivate'):
            getattr(self, command)()
        sync()
