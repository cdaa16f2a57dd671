"""A bolt that is a script, as ShellBolt.spec names one."""
from pystorm import Bolt
from parts import note


class Echo(Bolt):
    def process(self, tup):
        note(self, *tup.values)


Echo().run()
