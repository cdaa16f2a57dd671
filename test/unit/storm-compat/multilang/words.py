# A bolt and a spout that speak the multi-lang protocol by hand, for tests with a real process. Prints between its
# messages, writes to stderr, and dies on the word "die".
import json
import os
import sys


def read():
    lines = []
    while True:
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        if line == "end\n":
            return json.loads("".join(lines))
        lines.append(line)


def send(message):
    sys.stdout.write(json.dumps(message) + "\nend\n")
    sys.stdout.flush()


def bolt():
    while True:
        message = read()
        if isinstance(message, list):
            continue
        if message["stream"] == "__heartbeat":
            send({"command": "sync"})
            continue
        for word in message["tuple"][0].split(" "):
            if word == "die":
                sys.stderr.write("about to die\n")
                os._exit(0)
            send({"command": "emit", "tuple": [word, len(word) / 1.0, type(message["tuple"][1]).__name__],
                  "anchors": [message["id"]]})
            ids = read()
            print("went to", ids)
        send({"command": "ack", "id": message["id"]})


def spout():
    count = 0
    while True:
        message = read()
        if message["command"] == "next" and count < 3:
            send({"command": "emit", "tuple": [count], "id": {"n": count}, "need_task_ids": False})
            count += 1
        elif message["command"] in ("ack", "fail"):
            send({"command": "log", "msg": "%s %s" % (message["command"], message["id"]["n"])})
        send({"command": "sync"})


setup = read()
pid = os.getpid()
open(os.path.join(setup["pidDir"], str(pid)), "w").close()
send({"pid": pid})
spout() if sys.argv[1] == "spout" else bolt()
