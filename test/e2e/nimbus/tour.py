# What an unmodified Python client (streamparse's interface definition on thriftpy2) does with a Nimbus: submits a topology of
# shell components, looks at it, stops and starts it, rebalances it and kills it. Prints what it saw as one line of JSON.
import json
import sys
import time

from streamparse import thrift as storm
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.rpc import make_client
from thriftpy2.transport import TFramedTransportFactory

port, jar, collect = int(sys.argv[1]), sys.argv[2], sys.argv[3]
WORDS = 200 * 7
nimbus = make_client(
    storm.Nimbus,
    "localhost",
    port,
    proto_factory=TBinaryProtocolFactory(),
    trans_factory=TFramedTransportFactory(),
    timeout=60000,
)


def component(kind, script, stream, inputs=None, hint=1):
    shell = storm.ComponentObject(shell=storm.ShellComponent(execution_command="python3", script=script))
    common = storm.ComponentCommon(
        inputs={storm.GlobalStreamId(source, "default"): how for source, how in (inputs or {}).items()},
        streams={"default": storm.StreamInfo(output_fields=[stream], direct=False)} if stream else {},
        parallelism_hint=hint,
        json_conf="{}",
    )
    if kind == "spout":
        return storm.SpoutSpec(spout_object=shell, common=common)
    return storm.Bolt(bolt_object=shell, common=common)


def topology():
    shuffle = storm.Grouping(shuffle=storm.NullStruct())
    words = storm.Grouping(fields=["word"])
    return storm.StormTopology(
        spouts={"sentences": component("spout", "sentences.py", "sentence")},
        bolts={
            "split": component("bolt", "split.py", "word", {"sentences": shuffle}, 2),
            "collect": component("bolt", "collect.py", None, {"split": words}, 2),
        },
        state_spouts={},
    )


def upload():
    location = nimbus.beginFileUpload()
    with open(jar, "rb") as file:
        while chunk := file.read(1000):
            nimbus.uploadChunk(location, chunk)
    nimbus.finishFileUpload(location)
    return location


def summary():
    return next((t for t in nimbus.getClusterInfo().topologies if t.name == "tour"), None)


def until(ask):
    end = time.monotonic() + 60
    while not ask():
        if time.monotonic() > end:
            raise SystemExit("waited in vain")
        time.sleep(0.05)


def refusal(call, *args):
    try:
        call(*args)
    except Exception as error:
        return [type(error).__name__, getattr(error, "msg", None) or getattr(error, "message", "")]
    return None


seen = {}
location = upload()
conf = json.dumps({"collect.file": collect})
inactive = storm.SubmitOptions(initial_status=storm.TopologyInitialStatus.INACTIVE)
nimbus.submitTopologyWithOpts("tour", location, conf, topology(), inactive)
seen["submitted"] = summary().status
seen["again"] = refusal(nimbus.submitTopology, "tour", location, conf, topology())
nimbus.activate("tour")
seen["activated"] = summary().status
id = summary().id


def acked():
    return nimbus.getTopologyPageInfo(id, ":all-time", False).topology_stats.window_to_acked[":all-time"]


until(lambda: acked() == 200)
info = nimbus.getTopologyInfo(id)
seen["executors"] = sorted([e.component_id, e.executor_info.task_start, e.executor_info.task_end] for e in info.executors)
source = storm.GlobalStreamId("split", "default")
seen["executed"] = sum(
    e.stats.specific.bolt.executed["600"][source] for e in info.executors if e.component_id == "collect"
)
page = nimbus.getComponentPageInfo(id, "split", "600", False)
seen["split"] = [page.window_to_stats["600"].common_stats.emitted, page.num_tasks, page.num_executors]
seen["conf"] = json.loads(nimbus.getTopologyConf(id))["storm.id"] == id
seen["user_topology"] = nimbus.getUserTopology(id) == topology()
nimbus.deactivate("tour")
seen["deactivated"] = summary().status
nimbus.activate("tour")
nimbus.rebalance("tour", storm.RebalanceOptions(wait_secs=0, num_executors={"split": 1}))
until(lambda: summary().status == "ACTIVE")
seen["rebalanced"] = [summary().num_tasks, summary().num_executors]
nimbus.killTopologyWithOpts("tour", storm.KillOptions(wait_secs=1))
seen["killed"] = summary().status
begun = time.monotonic()
until(lambda: summary() is None)
seen["waited"] = 0.5 < time.monotonic() - begun < 20
seen["dead"] = refusal(nimbus.getTopologyInfo, id)
print(json.dumps(seen))
