"""Components that use what streamparse's API has; each notes what it saw: component, task, words."""
from streamparse import BatchingBolt, Bolt, ReliableSpout, Stream, TicklessBatchingBolt


def note(component, *words):
    line = " ".join(map(str, (component.component_name, component.task_id, *words)))
    with open(component.storm_conf["collect.file"], "a", encoding="utf-8") as file:
        file.write(line + "\n")


class Numbers(ReliableSpout):
    outputs = [
        Stream(fields=["n", "parity"]),
        Stream(fields=["n"], name="odd"),
        Stream(fields=["n"], name="straight", direct=True),
        Stream(fields=["n"], name="retried"),
    ]

    def initialize(self, conf, context):
        self.next = 0
        tasks = context["task->component"].items()
        self.targets = sorted(int(task) for task, name in tasks if name == "straight")

    def next_tuple(self):
        n = self.next
        if n >= int(self.storm_conf["rich.count"]):
            return
        self.next += 1
        self.emit([n, "odd" if n % 2 else "even"], tup_id=n)
        if n % 2:
            self.emit([n], tup_id=f"odd-{n}", stream="odd")
        target = self.targets[n % len(self.targets)]
        self.emit([n], tup_id=f"straight-{n}", stream="straight", direct_task=target)
        self.emit([n], tup_id=f"retried-{n}", stream="retried")

    def ack(self, tup_id):
        super().ack(tup_id)
        note(self, "acked", tup_id)

    def fail(self, tup_id):
        note(self, "failed", tup_id)
        super().fail(tup_id)


class Seen(Bolt):
    """Where a tuple came to."""

    def process(self, tup):
        note(self, tup.values.n)


class Parity(Bolt):
    config = {"rich.own": "of the class"}

    def initialize(self, conf, context):
        keys = ["rich.own", "rich.topology", "topology.workers", "rich.environment"]
        note(self, "conf", *(conf[key] for key in keys))

    def process(self, tup):
        note(self, tup.values.parity, tup.values.n)


class Flaky(Bolt):
    auto_ack = False

    def initialize(self, conf, context):
        self.seen = set()

    def process(self, tup):
        n = tup.values.n
        if n % 5 == 3 and n not in self.seen:
            self.seen.add(n)
            self.fail(tup)
        else:
            self.ack(tup)


class Batches:
    secs_between_batches = 1

    def group_key(self, tup):
        return tup.values.parity

    def process_batch(self, key, tups):
        note(self, key, *(tup.values.n for tup in tups))
        self.emit([key, len(tups)])


class Batch(Batches, BatchingBolt):
    outputs = ["key", "count"]
    config = {"topology.tick.tuple.freq.secs": 1}


class Tickless(Batches, TicklessBatchingBolt):
    outputs = ["key", "count"]
