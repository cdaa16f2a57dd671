# A reliable spout on Storm's own storm.py whose memory is a file: it emits each number until it was acked, once it was opened
# again too, and notes what failed. The last third waits for a file: a slow machine has something left to do as well.
import os
import time

import storm

COUNT = 3000


class Numbers(storm.Spout):
    def initialize(self, conf, context):
        self.done = open(conf["numbers.file"], "a+", encoding="utf-8")
        self.done.seek(0)
        done = {line.strip() for line in self.done}
        self.go = conf["numbers.go"]
        self.left = [n for n in range(COUNT) if str(n) not in done]

    def nextTuple(self):
        if self.left and (self.left[0] < COUNT * 2 // 3 or os.path.exists(self.go)):
            number = self.left.pop(0)
            storm.emit([str(number)], id=number)
        time.sleep(0.002)

    def ack(self, id):
        self.done.write("%d\n" % id)
        self.done.flush()

    def fail(self, id):
        self.left.append(id)


Numbers().run()
