"""What scans keep in memory of columns is bounded, and never another file's."""

import shutil
from unittest import mock

import numpy as np

from boxscore.store.spans import SpanRow, SqliteSpans, parse_measure, stripes
from boxscore.store.spans.kept import Kept

NOW = 1_800_000_000 * 10**9


def home_with(folder, tokens):
    """Four spans of so many tokens each, in a stripe."""
    with mock.patch.object(stripes, "ROWS", 4), SqliteSpans(folder, clock_ns=lambda: NOW) as store:
        fields = {"name": "chat", "model": "m", "start_ns": NOW, "input_tokens": tokens}
        store.put("p", [SpanRow(trace_id=b"t", span_id=b"s%d" % n, **fields) for n in range(4)]).result()
        store.catch_up()


def tokens_in(folder):
    with SqliteSpans(folder, write=False) as store:
        (found,) = store.aggregate("p", [parse_measure("sum(input_tokens)")])
        return found.values[0]


def test_columns_that_are_made_again_at_the_same_place_are_read_again(tmp_path):
    home, other = tmp_path / "home", tmp_path / "other"
    home_with(home, 10)
    home_with(other, 20)
    assert (tokens_in(home), tokens_in(home)) == (40, 40)

    shutil.rmtree(home)
    shutil.move(other, home)

    assert tokens_in(home) == 80


def test_what_was_not_asked_for_longest_goes_first():
    kept, made = Kept(limit=3_000), []

    def make(name):
        made.append(name)
        return np.zeros(1_000, np.uint8)

    for name in ("one", "two", "one", "three", "one", "two"):
        kept.of(name, lambda name=name: make(name))

    assert made == ["one", "two", "three", "two"]
