"""Runs with the package installed (`pip install ./examples/scorer-plugin`), as its users have it."""

import pytest

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring import known_scorers, make_scorer

EXAMPLE = Example(id="e1")


def test_it_is_found_by_its_name() -> None:
    assert "readability" in known_scorers()


def test_it_counts_short_sentences() -> None:
    scorer = make_scorer("readability:max_words=3")

    assert scorer.score(EXAMPLE, Response(output="It is short. This one is far too long.")).value == 0.5
    assert make_scorer(scorer.spec).spec == "readability:max_words=3"


def test_its_arguments_are_checked_like_any_other() -> None:
    with pytest.raises(ScorerError, match="max_words"):
        make_scorer("readability:max_words=few")
