"""Splits sentences, on pystorm; the serializer comes in the one argument, as streamparse gives it."""
import sys

from pystorm import Bolt


class Split(Bolt):
    def process(self, tup):
        for word in tup.values[0].split(" "):
            self.emit([word])


Split(serializer=sys.argv[-1].split()[-1]).run()
