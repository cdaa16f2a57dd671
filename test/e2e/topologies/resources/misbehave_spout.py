"""A spout that speaks the protocol by hand: five numbers a process, then it misbehaves in the way its argument names."""
import json
import os
import sys
import time

MODE, DIR = sys.argv[1], sys.argv[2]
NUMBERS = 5


def send(message):
    os.write(1, json.dumps(message).encode() + b"\nend\n")


def read():
    lines = []
    while True:
        line = sys.stdin.readline()
        if line == "":
            sys.exit(0)
        if line == "end\n":
            return json.loads("".join(lines))
        lines.append(line)


def main():
    read()
    if MODE == "never-syncs-activate":
        send({"pid": os.getpid()})
        time.sleep(1000)
    send({"pid": os.getpid()})
    sent = 0
    while True:
        command = read()
        if isinstance(command, list):
            continue
        if command["command"] == "next":
            if sent < NUMBERS:
                send({"command": "emit", "tuple": [sent], "id": sent, "need_task_ids": False})
            elif sent == NUMBERS:
                if MODE == "unknown-command":
                    send({"command": "frobnicate"})
                if MODE == "hangs-in-turn":
                    time.sleep(1000)
                if MODE == "exits":
                    sys.exit(0)
                if MODE == "floods-syncs":
                    for _ in range(1000):
                        send({"command": "sync"})
                if MODE == "emits-without-turn":
                    send({"command": "sync"})
                    for _ in range(100):
                        send({"command": "emit", "tuple": [1], "need_task_ids": False})
                    sent += 1
                    continue
            sent += 1
        send({"command": "sync"})


main()
