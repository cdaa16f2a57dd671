"""Components of a streamparse project."""
from streamparse import Bolt, Spout

COUNT = 100


class Sentences(Spout):
    outputs = ["sentence"]

    def initialize(self, conf, context):
        self.next = 0

    def next_tuple(self):
        if self.next < COUNT:
            self.emit([f"the cow {self.next} jumped over the moon"], tup_id=self.next)
            self.next += 1


class Split(Bolt):
    outputs = ["word"]

    def process(self, tup):
        for word in tup.values[0].split(" "):
            self.emit([word])


class Collect(Bolt):
    def initialize(self, conf, context):
        self.file = open(conf["collect.file"], "a", encoding="utf-8")

    def process(self, tup):
        self.file.write(tup.values[0] + "\n")
        self.file.flush()
