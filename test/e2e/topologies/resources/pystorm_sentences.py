"""Emits sixty sentences once each with a text as id and keeps those that fail, on pystorm."""
import sys

from pystorm import ReliableSpout

COUNT = 60


class Sentences(ReliableSpout):
    def initialize(self, conf, context):
        self.next = 0

    def next_tuple(self):
        if self.next < COUNT:
            self.emit(["the %d cows jumped über the moon" % self.next], tup_id="s%d" % self.next)
            self.next += 1


Sentences(serializer=sys.argv[-1]).run()
