"""The faces of a verdict over 1,000 recorded examples: the page stays small, and both faces say the same."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from boxscore.experiments.comparison import Comparison
from boxscore.experiments.recorded import compare_recordings
from boxscore.experiments.report import headline, html, terminal
from boxscore.experiments.rule import make_rule
from boxscore.scoring import make_scorers

pytestmark = pytest.mark.recorded


@pytest.fixture(scope="module")
def upgrade(recorded: Callable[[str], Path]) -> Comparison:
    scorers = make_scorers(["choice:yes,no"])
    return compare_recordings(
        recorded("generations/llmdrift_prime.jsonl"),
        baseline="gpt-3.5-turbo-0301",
        candidates=["gpt-4-0314"],
        scorers=scorers,
        rule=make_rule([scorer.metric for scorer in scorers]),
    )[0]


def test_a_report_of_1000_examples_is_below_two_megabytes(upgrade: Comparison):
    page = html(upgrade.verdict, upgrade.evidence)
    assert len(page.encode()) < 2_000_000
    assert "60 of 144 are here, worst first; the JSON has all ids." in page


def test_terminal_and_page_say_the_same_sentence(upgrade: Comparison):
    said = headline(upgrade.verdict)
    assert upgrade.verdict.reason == said
    page = unescape(re.sub(r"</?b>", "", html(upgrade.verdict, upgrade.evidence)))
    assert f'<p class="say">{said}</p>' in page
    assert said in " ".join(terminal(upgrade.verdict).split())
