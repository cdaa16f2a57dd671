"""Turns the value of each Kafka record around: a tuple of KafkaSpout is topic, partition, offset, key, value."""

import storm


class TurnBolt(storm.BasicBolt):
    def process(self, tup):
        topic, partition, offset, key, value = tup.values
        storm.emit([key, value[::-1]])


TurnBolt().run()
