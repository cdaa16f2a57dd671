# A spout whose tuples have ids: numbers from 0, as many as the setting tour.count says.
import storm


class Numbers(storm.Spout):
    def initialize(self, conf, context):
        self.count = int(conf.get("tour.count", 20))
        self.next = 0

    def nextTuple(self):
        if self.next < self.count:
            storm.emit([str(self.next)], id=self.next)
            self.next += 1

    def ack(self, id):
        pass

    def fail(self, id):
        pass


Numbers().run()
