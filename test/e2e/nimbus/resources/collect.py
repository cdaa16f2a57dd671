# A bolt on Storm's own storm.py: appends each word to the file that the topology's conf names, one a line.
import storm


class Collect(storm.BasicBolt):
    def initialize(self, conf, context):
        self.file = open(conf["collect.file"], "a", encoding="utf-8")

    def process(self, tup):
        self.file.write(tup.values[0] + "\n")
        self.file.flush()


Collect().run()
