"""The same as identity.py, on pystorm."""
import sys

from pystorm import Bolt


class Identity(Bolt):
    def process(self, tup):
        self.emit([tup.values[0], [tup.values[0]]])


Identity(serializer=sys.argv[-1]).run()
