# Splits lines into words. Runs on Storm as it is; `storm` is the module of Storm's multi-lang protocol.
import re

import storm

# As examples/text/words.ts has it, and `tr`: ASCII letters, apostrophes, and whatever is not ASCII.
WORDS = re.compile("[a-z'\u0080-\U0010ffff]+")
SMALL = {ord(c): c.lower() for c in 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'}


class SplitBolt(storm.BasicBolt):
    def process(self, tup):
        for word in WORDS.findall(tup.values[0].translate(SMALL)):
            storm.emit([word])


if __name__ == '__main__':
    SplitBolt().run()
