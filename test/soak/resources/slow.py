"""Passes on what it gets, and sleeps so many ms after so many tuples."""
import sys
import time

import storm

EVERY = int(sys.argv[1])
PAUSE_MS = int(sys.argv[2])


class Slow(storm.BasicBolt):
    count = 0

    def process(self, tup):
        storm.emit(tup.values)
        self.count += 1
        if self.count % EVERY == 0:
            time.sleep(PAUSE_MS / 1000)


Slow().run()
