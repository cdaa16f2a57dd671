"""Emits the value it got: as it came, and within a list. Runs on any storm.py."""
import storm


class Identity(storm.BasicBolt):
    def process(self, tup):
        storm.emit([tup.values[0], [tup.values[0]]])


Identity().run()
