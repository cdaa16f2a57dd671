"""Emits each number it gets, anchored; acks by BasicBolt. Runs on whichever storm.py is found."""
import storm


class Relay(storm.BasicBolt):
    def process(self, tup):
        storm.emit([tup.values[0]])


Relay().run()
