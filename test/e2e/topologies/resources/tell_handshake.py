"""Writes what it was told in the handshake, and what tuples it gets, into files named by its task; by hand, for the text
of the messages matters."""
import os
import sys

import json


def read():
    lines = []
    while True:
        line = sys.stdin.readline()
        if line == "":
            sys.exit(0)
        if line == "end\n":
            return "".join(lines)
        lines.append(line)


def send(message):
    sys.stdout.write(json.dumps(message) + "\nend\n")
    sys.stdout.flush()


text = read()
setup = json.loads(text)
name = "%s-%d" % (setup["context"]["componentid"], setup["context"]["taskid"])
with open(os.path.join(sys.argv[1], "handshake-" + name + ".part"), "w") as f:
    f.write(text)
os.rename(f.name, f.name[:-len(".part")])
send({"pid": os.getpid()})
while True:
    text = read()
    message = json.loads(text)
    if "command" in message or message["stream"] == "__heartbeat":
        send({"command": "sync"})
        continue
    with open(os.path.join(sys.argv[1], "tuples-" + name), "a") as f:
        f.write(text)
    send({"command": "ack", "id": message["id"]})
