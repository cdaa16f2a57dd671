"""Emits numbers for ever; writes each command but `next` into a file named by its task."""
import os
import sys

import storm


class Life(storm.Spout):
    def initialize(self, conf, context):
        self.file = os.path.join(sys.argv[1], "life-%d" % context["taskid"])
        self.next = 0
        self.write("open")

    def write(self, line):
        with open(self.file, "a") as f:
            f.write(line + "\n")

    def activate(self):
        self.write("activate")

    def deactivate(self):
        self.write("deactivate")

    def nextTuple(self):
        self.next += 1
        storm.emit([self.next], id=self.next)


Life().run()
