"""A reliable spout of numbers from 0 to its first argument. It replays what failed, keeps in a file below which number all
are done, and notes each emit in another file before it makes it. Both outlive it."""
import os
import sys

import storm

COUNT = int(sys.argv[1])
POSITION = sys.argv[2]
EMITS = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
OPEN_MAX = 200
# A process that was killed and its successor may be there at once for a moment.
NEW_POSITION = "%s.%d" % (POSITION, os.getpid())


class Numbers(storm.Spout):
    def initialize(self, conf, context):
        self.through = 0
        if os.path.exists(POSITION):
            with open(POSITION) as f:
                self.through = int(f.read())
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
        os.write(EMITS, b"%d\n" % n)
        storm.emit([n], id=n)

    def ack(self, id):
        self.open.discard(id)
        self.ahead.add(id)
        while self.through in self.ahead:
            self.ahead.discard(self.through)
            self.through += 1
        with open(NEW_POSITION, "w") as f:
            f.write(str(self.through))
        os.rename(NEW_POSITION, POSITION)

    def fail(self, id):
        self.again.append(id)


Numbers().run()
