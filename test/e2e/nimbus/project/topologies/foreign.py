"""Java classes that are nowhere."""
from parts import Seen
from streamparse import Grouping, JavaBolt, JavaSpout, Topology


class Foreign(Topology):
    spout = JavaSpout.spec(full_class_name="com.example.Spout", args_list=["a", 1], outputs=["n"])
    seen = Seen.spec(inputs={spout: Grouping.custom_object("com.example.Grouping", [2])}, par=2)
    sink = JavaBolt.spec(full_class_name="com.example.Bolt", args_list=[], inputs=[spout], outputs=["n"])
