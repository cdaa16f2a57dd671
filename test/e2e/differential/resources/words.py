# Splits a number into words, anchored to it. Numbers that end in 7 fail when a task meets them for the first time, after
# their words have left: their words come again with the replay. Shuffle may send the replay to another task, so the
# first time is told by a file that all tasks see.
import os

import storm
from witness import Witness


class Words(storm.Bolt):
    def initialize(self, conf, context):
        self.witness = Witness(conf, context)
        self.dir = conf["witness.dir"]

    def first_time(self, number):
        try:
            os.close(os.open(os.path.join(self.dir, "failed-%d" % number), os.O_CREAT | os.O_EXCL))
            return True
        except OSError:
            return False

    def process(self, tup):
        number = tup.values[0]
        for word in (str(number % 10), "tens %d" % (number // 10), u"gro\u00df"):
            storm.emit([word, number], anchors=[tup])
        if number % 10 == 7 and self.first_time(number):
            storm.fail(tup)
        else:
            storm.ack(tup)


Words().run()
