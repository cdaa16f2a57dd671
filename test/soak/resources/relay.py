"""Passes on what it gets, anchored; acks by BasicBolt."""
import storm


class Relay(storm.BasicBolt):
    def process(self, tup):
        storm.emit(tup.values)


Relay().run()
