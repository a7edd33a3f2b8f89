"""The box score on a terminal: whole ones as snapshots, and what must hold for any name, number and width."""

import re
import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import REJECT, SAMPLES, SHIP, UNDECIDED, with_metrics, with_rule, without_money
from syrupy.assertion import SnapshotAssertion

from boxscore.experiments.report import headline, terminal
from boxscore.experiments.verdict import CostComparison, DatasetInfo, MetricComparison, Needs, Verdict

ANSI = re.compile(r"\x1b\[[0-9;]*m")

CASES = {
    **{name: sample.verdict for name, sample in SAMPLES.items()},
    "nothing_recorded": without_money(SHIP.verdict),
    "value": with_rule(SHIP, "ship", kind="value", usd_per_success=0.05, margin=0.0),
    "noninferiority": msgspec.structs.replace(
        UNDECIDED.verdict,
        verdict="ship",
        needs=None,
        comparisons=(msgspec.structs.replace(UNDECIDED.verdict.comparisons[0], low=-0.012, high=0.046),),
    ),
    "many_metrics": with_metrics(SHIP.verdict, [f"metric_number_{i}" for i in range(9)]),
}


def columns(line: str) -> int:
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )


@pytest.mark.parametrize("name", CASES)
def test_the_box_score_at_80_columns(name: str, snapshot: SnapshotAssertion):
    text = terminal(CASES[name])
    assert max(columns(line) for line in text.splitlines()) <= 80
    assert text == snapshot


@pytest.mark.parametrize("width", [60, 100, 120])
def test_other_widths_are_filled_and_not_passed(width: int):
    widest = max(columns(line) for line in terminal(SHIP.verdict, width=width).splitlines())
    assert widest == width


def test_the_whole_headline_is_there_in_order():
    for sample in SAMPLES.values():
        words = terminal(sample.verdict).split()
        wanted = headline(sample.verdict).split()
        start = words.index(wanted[0])
        assert words[start : start + len(wanted)] == wanted


def test_colour_adds_escapes_and_changes_nothing_else():
    for verdict in CASES.values():
        assert ANSI.sub("", terminal(verdict, colour=True)) == terminal(verdict)


def test_colour_is_blue_for_good_and_orange_for_bad_and_words_say_it_too():
    ship, reject = terminal(SHIP.verdict, colour=True), terminal(REJECT.verdict, colour=True)
    assert "\x1b[38;5;32m\x1b[1mSHIP\x1b[0m" in ship
    assert "\x1b[38;5;166m\x1b[1mREJECT\x1b[0m" in reject
    assert "\x1b[38;5;166mWORSE\x1b[0m" in reject


def test_the_exit_code_stands_in_the_last_line():
    last = [terminal(sample.verdict).splitlines()[-1] for sample in SAMPLES.values()]
    assert last == ["exit 0  ship", "exit 1  reject", "exit 3  undecided"]


def test_what_was_not_recorded_has_no_column_and_is_named():
    text = terminal(without_money(SHIP.verdict))
    assert "$/1k" not in text
    assert "p50" not in text
    assert "Not recorded: cost, latency, tokens." in " ".join(text.split())


def test_what_only_one_variant_lacks_is_not_shown_as_zero():
    lacking = msgspec.structs.replace(SHIP.verdict.candidate, cost_per_1k_usd=None)
    text = terminal(msgspec.structs.replace(SHIP.verdict, candidate=lacking, cost=None))
    assert "not rec." in text
    assert "0.00" not in text


def test_many_metrics_go_on_in_a_further_block_and_none_is_lost():
    text = terminal(CASES["many_metrics"])
    assert all(text.count(f"metric_number_{i}") >= 1 for i in range(9))


def test_right_is_better_in_every_row():
    """A loss in accuracy, a saving in dollars and time: the first lies left of zero, the others right of it."""
    rows = {line[:14].strip(): line[14:37] for line in terminal(REJECT.verdict).splitlines() if "┊" in line}
    assert rows["accuracy"].index("◆") < rows["accuracy"].index("┊")
    assert rows["$ per 1,000"].index("●") > rows["$ per 1,000"].index("┊")
    assert rows["p50 s"].index("●") > rows["p50 s"].index("┊")


def test_an_interval_around_the_zero_line_is_drawn_across_it():
    row = next(line for line in terminal(UNDECIDED.verdict).splitlines() if line.startswith("p50"))
    start, point, end = row.index("├"), row.index("○"), row.rindex("┤")
    assert start < point < end
    assert start < 14 + 23 // 2 < end


def test_fewer_tokens_are_not_praised():
    fewer = MetricComparison(
        metric="tokens_out", difference=-212.0, low=-220.0, high=-204.0, p=0.0, p_adjusted=0.0, kind="amount",
        better="lower", method="paired t", wins=9, ties=0, losses=0, shown="better",
    )  # fmt: skip
    verdict = msgspec.structs.replace(REJECT.verdict, comparisons=(*REJECT.verdict.comparisons, fewer))
    row = next(line for line in terminal(verdict, colour=True).splitlines() if line.startswith("tokens out"))
    assert row.endswith("fewer")
    assert "\x1b" not in row


def test_warnings_and_notes_are_under_the_headline():
    lines = terminal(SHIP.verdict).splitlines()
    assert any(line.strip().startswith("- It calls odd composite numbers prime") for line in lines[:10])
    assert any(line.strip().startswith("! Answers shrank") for line in terminal(REJECT.verdict).splitlines()[:8])


HOSTILE = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("\x1b[]0m\x07\n\r\t\u202e\u200b日本語한국é🙂e\u0301")),
    max_size=70,
)
NUMBER = st.floats(min_value=-1e7, max_value=1e7, allow_nan=False)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """The ship with other names, numbers and texts."""
    base = SHIP.verdict
    metric = draw(HOSTILE)
    kind = draw(st.sampled_from(["rate", "mean", "amount"]))
    low, middle, high = sorted(draw(st.tuples(NUMBER, NUMBER, NUMBER)))
    comparison = msgspec.structs.replace(
        base.comparisons[0], metric=metric, kind=kind, difference=middle, low=low, high=high, unit=draw(HOSTILE)
    )
    value = msgspec.structs.replace(
        base.baseline.metrics["accuracy"], value=middle, low=low, high=high, kind=kind, unit=comparison.unit
    )
    prices = sorted(draw(st.tuples(NUMBER, NUMBER, NUMBER)))
    old, new = (
        msgspec.structs.replace(
            variant,
            name=draw(HOSTILE),
            metrics={metric: value},
            cost_per_1k_usd=abs(prices[1]),
            errors=draw(st.integers(0, 9)),
        )
        for variant in (base.baseline, base.candidate)
    )
    examples = draw(st.integers(1, 10**7))
    return msgspec.structs.replace(
        base,
        verdict=draw(st.sampled_from(["ship", "reject", "undecided"])),
        rule=msgspec.structs.replace(
            base.rule, metric=metric, kind=draw(st.sampled_from(["superiority", "noninferiority", "value"])), guards=()
        ),
        dataset=DatasetInfo(
            name=draw(HOSTILE), version=draw(HOSTILE), examples=examples, clusters=examples, total=examples
        ),
        baseline=old,
        candidate=new,
        comparisons=(comparison,),
        cost=CostComparison(difference_per_1k_usd=prices[1], low=prices[0], high=prices[2], shown="worse"),
        needs=draw(st.none() | st.builds(Needs, examples=st.integers(1, 10**9), cost_usd=NUMBER)),
        warnings=(draw(HOSTILE),),
        notes=(draw(HOSTILE),),
        regressions=tuple(draw(st.lists(HOSTILE, max_size=4))),
        slices=tuple(msgspec.structs.replace(part, value=draw(HOSTILE)) for part in base.slices[:1]),
    )


@settings(max_examples=150, deadline=None)
@given(verdict=verdicts(), width=st.sampled_from([60, 80, 100, 133]))
def test_no_line_is_wider_than_the_width_and_no_control_character_gets_through(verdict: Verdict, width: int):
    text = terminal(verdict, width=width)
    for line in text.split("\n"):
        assert columns(line) <= width, line
        assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in line)
    assert "\u202e" not in text
