# A bounded reliable spout: 0 to 199, each with a key; a number that fails is emitted once more under the same id.
import storm
from witness import Witness

LAST = 200
KEYS = [None, True, "key", u"b\u00e4r\u4eba", -7, 1 << 40, 0.5, ["a", 1], {"k": "v"}]


class Numbers(storm.Spout):
    def initialize(self, conf, context):
        self.witness = Witness(conf, context)
        self.next = 0
        self.done = 0

    def emit(self, number):
        storm.emit([number, KEYS[number % len(KEYS)]], id=number)

    def nextTuple(self):
        if self.next == LAST:
            return
        self.emit(self.next)
        if self.next % 2 == 1:
            storm.emit([self.next], stream="odd", id="odd-%d" % self.next)
        self.next += 1

    def ack(self, id):
        self.witness.saw("ack", id)
        self.done += 1
        if self.done == LAST + LAST // 2:
            self.witness.saw("end")

    def fail(self, id):
        self.witness.saw("fail", id)
        self.emit(id)


Numbers().run()
