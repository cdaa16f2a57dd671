"""A reliable spout of numbers from 0 to its first argument, which replays what failed and keeps its position in a file."""
import os
import sys

import storm

COUNT = int(sys.argv[1])
POSITION = sys.argv[2]
OPEN_MAX = 200


class Numbers(storm.Spout):
    def initialize(self, conf, context):
        self.through = int(open(POSITION).read()) if os.path.exists(POSITION) else 0
        self.next = self.through
        self.open = set()
        self.ahead = set()
        self.again = []

    def nextTuple(self):
        if self.again:
            n = self.again.pop()
        elif self.next < COUNT and len(self.open) < OPEN_MAX:
            n = self.next
            self.next += 1
        else:
            return
        self.open.add(n)
        storm.emit([n], id=n)

    def ack(self, id):
        self.open.discard(id)
        self.ahead.add(id)
        while self.through in self.ahead:
            self.ahead.discard(self.through)
            self.through += 1
        with open(POSITION + ".new", "w") as f:
            f.write(str(self.through))
        os.rename(POSITION + ".new", POSITION)

    def fail(self, id):
        self.again.append(id)


Numbers().run()
