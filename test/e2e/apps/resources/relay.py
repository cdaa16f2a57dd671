"""Emits each number it gets, anchored; acks by BasicBolt."""
import storm


class Relay(storm.BasicBolt):
    def process(self, tup):
        storm.emit([tup.values[0]])


Relay().run()
