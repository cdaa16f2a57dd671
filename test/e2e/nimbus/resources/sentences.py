# A spout on Storm's own storm.py: so many sentences, each with its number as id, then nothing.
import storm

COUNT = 200


class Sentences(storm.Spout):
    def initialize(self, conf, context):
        self.next = 0

    def nextTuple(self):
        if self.next < COUNT:
            storm.emit(["the cow %d jumped over the moon" % self.next], id=self.next)
            self.next += 1


Sentences().run()
