"""Every grouping, several streams, settings at each level, batches, a script."""
from parts import Batch, Flaky, Numbers, Parity, Seen, Tickless
from streamparse import Grouping, ShellBolt, Topology


class Rich(Topology):
    config = {"rich.topology": "of the topology", "topology.max.spout.pending": 50}
    numbers = Numbers.spec()
    parity = Parity.spec(
        inputs={numbers: Grouping.fields("parity")}, par=2, config={"rich.own": "of the spec"}
    )
    everywhere = Seen.spec(inputs={numbers["odd"]: Grouping.ALL}, par=2)
    first = Seen.spec(inputs={numbers["odd"]: Grouping.GLOBAL}, par=2)
    near = Seen.spec(inputs={numbers["odd"]: Grouping.LOCAL_OR_SHUFFLE})
    anywhere = Seen.spec(inputs={numbers["odd"]: Grouping.NONE}, par={"dev": 1, "test": 2})
    straight = Seen.spec(inputs={numbers["straight"]: Grouping.DIRECT}, par=3)
    flaky = Flaky.spec(inputs=[numbers["retried"]])
    batch = Batch.spec(inputs=[numbers])
    tickless = Tickless.spec(inputs=[numbers])
    echo = ShellBolt.spec(
        command="python3",
        script="echoer.py",
        inputs={batch: Grouping.fields("key"), tickless: Grouping.fields("key")},
        outputs=[],
    )
