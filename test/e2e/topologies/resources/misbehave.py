"""A bolt that speaks the protocol by hand. The first of its processes misbehaves once, after some tuples and in the way
that its first argument names; the next one behaves. With `always-` before the mode each of them misbehaves."""
import json
import os
import signal
import subprocess
import sys
import time

MODE, DIR = sys.argv[1], sys.argv[2]
MARK = os.path.join(DIR, "misbehaved")
ALWAYS = MODE.startswith("always-")
MODE = MODE[len("always-"):] if ALWAYS else MODE
FIRST = ALWAYS or not os.path.exists(MARK)
TUPLES_BEFORE = 20
HUGE = 100 * 1024 * 1024


def raw(data):
    while data:
        data = data[os.write(1, data):]


def send(message):
    raw(json.dumps(message).encode() + b"\nend\n")


def read():
    lines = []
    while True:
        line = sys.stdin.readline()
        if line == "":
            sys.exit(0)
        if line == "end\n":
            return json.loads("".join(lines))
        lines.append(line)


def hang(tup=None):
    while True:
        time.sleep(1000)


def relay(tup):
    send({"command": "emit", "anchors": [tup["id"]], "tuple": tup["tuple"], "need_task_ids": False})
    send({"command": "ack", "id": tup["id"]})


def truncated(tup):
    raw(b'{"command": "emit", "anchors": ["1"], "tup')
    hang()


def truncated_end(tup):
    raw(b'{"command": "emit", "anchors": ["1"], "tup')
    os._exit(0)


def huge(tup):
    piece = b"x" * (1 << 20)
    raw(b'{"command": "emit", "tuple": ["')
    for _ in range(HUGE // len(piece)):
        raw(piece)
    raw(b'"]}\nend\n')


def binary_flood(tup):
    piece = bytes(range(128, 256)) * 8192
    for _ in range(HUGE // len(piece)):
        raw(piece)


def deep(tup):
    raw(b'{"command": "emit", "tuple": ' + b"[" * 10000 + b"]" * 10000 + b"}\nend\n")
    relay(tup)


def unknown_command(tup):
    send({"command": "frobnicate", "id": tup["id"]})
    relay(tup)


def unknown_ack(tup):
    send({"command": "ack", "id": "no such tuple"})


def double_ack(tup):
    relay(tup)
    send({"command": "ack", "id": tup["id"]})


def ack_after_fail(tup):
    send({"command": "fail", "id": tup["id"]})
    send({"command": "ack", "id": tup["id"]})


def anchor_after_ack(tup):
    relay(tup)
    send({"command": "emit", "anchors": [tup["id"]], "tuple": [0]})


def no_command(tup):
    send({"comand": "ack", "id": tup["id"]})


def no_tuple(tup):
    send({"command": "emit", "anchors": [tup["id"]]})


def unknown_stream(tup):
    send({"command": "emit", "stream": "nowhere", "anchors": [tup["id"]], "tuple": [1]})


def wrong_arity(tup):
    send({"command": "emit", "anchors": [tup["id"]], "tuple": [1, 2, 3]})


def binary(tup):
    raw(bytes(range(256)) + b"\n")
    raw(b"\xff\xfe\x00 glued ")
    relay(tup)


def prints(tup):
    print("a print", flush=True)
    print('{"not": "a message"}', flush=True)
    print("[1, 2]\n\n42", flush=True)
    print("without an end", end="", flush=True)
    relay(tup)


def error(tup):
    send({"command": "error", "msg": "it went wrong, and I go on"})
    relay(tup)


def metrics(tup):
    send({"command": "metrics", "name": "tries", "params": 1})
    send({"command": "log", "msg": {"not": "text"}, "level": "high"})
    relay(tup)


def floods_stderr(tup):
    os.write(2, b"noise " * 1000000)
    for _ in range(200):
        os.write(2, b"a line of noise\n" * 64)
    relay(tup)


def closes_stdin(tup):
    os.close(0)
    hang()


def closes_stdout(tup):
    os.close(1)
    hang()


def error_and_exit_0(tup):
    send({"command": "error", "msg": "Traceback: the last words"})
    os._exit(0)


def raises(tup):
    raise ValueError("the number of the beast")


def ignores_sigterm(tup):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang()


def grandchildren(tup):
    subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 1000 & wait; sleep 1000"])
    os._exit(3)


MODES = {name.replace("_", "-"): function for name, function in list(globals().items()) if callable(function)}


def main():
    setup = read()
    if FIRST:
        open(MARK, "w").close()
        if MODE == "exits-at-start":
            sys.exit("cannot start today")
        if MODE == "no-pid":
            hang()
    send({"pid": os.getpid()})
    open(os.path.join(setup["pidDir"], str(os.getpid())), "w").close()
    handled = 0
    while True:
        tup = read()
        if isinstance(tup, list):
            continue
        if tup["stream"] == "__heartbeat":
            send({"command": "sync"})
            continue
        handled += 1
        if FIRST and handled == TUPLES_BEFORE:
            MODES[MODE](tup)
        else:
            relay(tup)


main()
