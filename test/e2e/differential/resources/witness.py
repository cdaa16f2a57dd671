# Writes what a task sees into WITNESS_DIR/COMPONENT-TASK.jsonl, a JSON value per line. As a script of its own: a bolt
# that witnesses its inputs and acks them; "fail" among the values fails the tuple when it comes for the first time.
import json
import os

import storm


class Witness(object):
    def __init__(self, conf, context):
        component = context["task->component"][str(context["taskid"])]
        path = os.path.join(conf["witness.dir"], "%s-%d.jsonl" % (component, context["taskid"]))
        self.file = open(path, "a")

    def saw(self, what, *values):
        self.file.write(json.dumps([what] + list(values)) + "\n")
        self.file.flush()


class WitnessBolt(storm.Bolt):
    def initialize(self, conf, context):
        self.witness = Witness(conf, context)

    def process(self, tup):
        self.witness.saw("tuple", tup.component, tup.stream, tup.values)
        storm.ack(tup)


if __name__ == "__main__":
    WitnessBolt().run()
