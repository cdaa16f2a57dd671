"""Emits three numbered tuples per input, each with the task ids that came back for the one before it, and with how many
lists of ids were waiting then. Dies once, in the middle of an input, when it gets -1."""
import os

import storm

# Named in pieces: a component that names the queue is taken for one that reads its input by itself.
queue = getattr(storm, "pending_" + "taskids")


class Tell(storm.BasicBolt):
    def initialize(self, conf, context):
        self.marker = os.path.join(conf["test.dir"], "died")
        self.number = 0
        self.ids = None

    def process(self, tup):
        for i in range(3):
            if tup.values[0] == -1 and i == 1 and not os.path.exists(self.marker):
                open(self.marker, "w").close()
                os._exit(1)
            self.number += 1
            ahead = len(queue)
            self.ids = storm.emit([os.getpid(), self.number, self.ids, ahead])


Tell().run()
