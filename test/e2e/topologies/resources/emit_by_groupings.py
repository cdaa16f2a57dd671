"""Emits each word on one stream per grouping; tells on the default stream which task ids came back for each."""
import storm


class Emit(storm.BasicBolt):
    def initialize(self, conf, context):
        tasks = context["task->component"]
        self.seen = sorted(int(task) for task in tasks if tasks[task] == "seen")
        self.next = 0

    def process(self, tup):
        word = tup.values[0]
        for stream in ["fields", "all", "global", "none", "shuffle", "local", "partial", "both", "nobody"]:
            ids = storm.emit([word], stream=stream)
            storm.emit([stream, word, list(ids)])
        task = self.seen[self.next % len(self.seen)]
        self.next += 1
        answer = storm.emitDirect(task, [word], stream="direct")
        storm.emit(["direct", word, [task, answer]])
        # Task 1 is no consumer: in Storm such an emit goes nowhere, silently.
        storm.emitDirect(1, [word], stream="direct")


Emit().run()
