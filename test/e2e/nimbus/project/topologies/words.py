"""Sentences, split and collected."""
from components import Collect, Sentences, Split
from streamparse import Grouping, Topology


class Words(Topology):
    sentences = Sentences.spec()
    split = Split.spec(inputs=[sentences], par=2)
    collect = Collect.spec(inputs={split: Grouping.fields("word")})
