"""The keyword part of re-grading with what a data team has at hand: DuckDB or Polars, default threads, over a Parquet file of calls.

    python keywords.py CALLS.parquet --engine duckdb|polars --lists each|single [--way NAME] [--rounds N] [--script ID]

For each category and question of the script's lexicon one expression of its literal phrases; for each call, how many of the customer's
utterances it holds for. Left out: anchors, exceptions, patterns, normalisation, and all of grading. `--lists single`: one expression of
all phrases. Each way of asking is timed by itself, the start of Python and of the engine left out; printed as JSON are the seconds of
each and the sums of its counts, which must agree.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import yaml

from grade import SCRIPTS, read_list


def expressions(script, lists):
    """Name and literal phrases of each list, or of all of them as one."""
    folder = SCRIPTS / script
    lexicon = yaml.safe_load((folder / "script.yaml").read_text("utf-8"))["lexicon"]
    each = {}
    for name in [*lexicon["categories"], *lexicon["questions"]]:
        phrases = {phrase.text for phrase in read_list(folder, name).phrases if not phrase.exception}
        if phrases:
            each[name] = sorted(phrases)
    if lists == "each":
        return each
    return {"any": sorted(set().union(*each.values()))}


# ---------------------------------------------------------------- DuckDB


class DuckDB:
    """`regexp_matches` with an alternation a list."""

    def __init__(self, path, wanted):
        import re

        import duckdb

        self.base = duckdb.connect()
        self.names = list(wanted)

        def holds(phrases):
            alternation = "|".join(map(re.escape, phrases)).replace("'", "''")
            return f"regexp_matches(text, '{alternation}')"

        self.counts = ", ".join(f'count(*) FILTER ({holds(phrases)}) AS "{name}"' for name, phrases in wanted.items())
        events = f"SELECT call_id, unnest(events) AS event FROM read_parquet('{path}')"
        said = "event.kind = 'utterance' AND event.speaker = 'customer'"
        self.said = f"SELECT call_id, event.text AS text FROM ({events}) WHERE {said}"
        self.ways = {"file": self.from_file, "table": self.from_table}
        self.prepared = False

    def prepare(self, way):
        if way == "table" and not self.prepared:
            self.base.execute(f"CREATE TABLE said AS {self.said}")
            self.prepared = True

    def count(self, said):
        self.base.execute(f"CREATE OR REPLACE TEMP TABLE counted AS SELECT call_id, {self.counts} FROM {said} GROUP BY call_id")

    def from_file(self):
        self.count(f"({self.said})")

    def from_table(self):
        self.count("said")

    def sums(self):
        row = self.base.execute("SELECT count(*), " + ", ".join(f'sum("{name}")' for name in self.names) + " FROM counted").fetchone()
        return int(row[0]), dict(zip(self.names, map(int, row[1:])))


# ---------------------------------------------------------------- Polars


class Polars:
    """`str.contains_any`, which is Aho-Corasick, with the phrases of a list."""

    def __init__(self, path, wanted):
        import polars as pl

        self.pl, self.names, self.counted = pl, list(wanted), None
        events = pl.scan_parquet(path).select("call_id", "events").explode("events")
        event = pl.col("events").struct.field
        said = (event("kind") == "utterance") & (event("speaker") == "customer")
        self.said = events.filter(said).select("call_id", event("text"))
        self.holds = [pl.col("text").str.contains_any(phrases).alias(name) for name, phrases in wanted.items()]
        self.ways = {
            "file, streaming": lambda: self.count(self.said, "streaming"),
            "file, in memory": lambda: self.count(self.said, "in-memory"),
            "table, streaming": lambda: self.count(self.table.lazy(), "streaming"),
            "table, in memory": lambda: self.count(self.table.lazy(), "in-memory"),
        }
        self.table = None

    def prepare(self, way):
        if way.startswith("table") and self.table is None:
            self.table = self.said.collect(engine="streaming")

    def count(self, said, engine):
        sums = [self.pl.col(name).sum() for name in self.names]
        self.counted = said.select("call_id", *self.holds).group_by("call_id").agg(sums).collect(engine=engine)

    def sums(self):
        return self.counted.height, {name: int(self.counted[name].sum()) for name in self.names}


ENGINES = {"duckdb": DuckDB, "polars": Polars}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("calls")
    arguments.add_argument("--engine", choices=ENGINES, required=True)
    arguments.add_argument("--lists", choices=["each", "single"], default="each")
    arguments.add_argument("--way", help="only this way of asking")
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--script", default="telemarketing")
    told = arguments.parse_args()

    wanted = expressions(told.script, told.lists)
    engine = ENGINES[told.engine](told.calls, wanted)
    seconds, first = {}, None
    for way, ask in engine.ways.items():
        if told.way and way != told.way:
            continue
        engine.prepare(way)
        times = []
        for _ in range(told.rounds):
            begun = time.perf_counter()
            ask()
            times.append(time.perf_counter() - begun)
        seconds[way] = statistics.median(times)
        sums = engine.sums()
        if first is not None and sums != first:
            sys.exit(f"{way} counts otherwise: {sums}, not {first}")
        first = sums
    calls, hits = first
    json.dump({"seconds": seconds, "calls": calls, "expressions": len(wanted), "phrases": sum(map(len, wanted.values())), "hits": hits}, sys.stdout)


if __name__ == "__main__":
    main()
