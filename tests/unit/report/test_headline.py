"""The headline says what changed, with its numbers, from the numbers alone."""

import msgspec
from samples import REJECT, SHIP, UNDECIDED, with_rule, without_money

from boxscore.experiments.report import headline
from boxscore.experiments.verdict import CostComparison, Guard, LatencyComparison, MetricComparison, Needs, Verdict


def changed(verdict: Verdict, /, **changes: object) -> Verdict:
    return msgspec.structs.replace(verdict, **changes)


def primary(verdict: Verdict, /, **changes: object) -> Verdict:
    first, *rest = verdict.comparisons
    return changed(verdict, comparisons=(msgspec.structs.replace(first, **changes), *rest))


def test_a_ship_says_gain_dollars_time_and_the_price_of_one_more_right_answer():
    assert headline(SHIP.verdict) == (
        "gpt-4-0314 answers 34.4 points more right (±4.3), costs $13.31 more per 1,000 (±0.62), answers 0.7 s later at "
        "p50. One extra right answer costs 3.9 cents (3.4 to 4.5)."
    )


def test_a_reject_says_what_is_lost_and_what_is_saved_by_it():
    assert headline(REJECT.verdict) == (
        "gpt-4-0613 answers 32.9 points fewer right (±4.4), costs $12.75 less per 1,000 (±0.62), answers 5.2 s sooner "
        "at p50. Each right answer given up saves 3.9 cents (3.4 to 4.5)."
    )


def test_an_undecided_says_the_range_and_how_many_more_examples_would_decide():
    assert headline(UNDECIDED.verdict) == (
        "reply@v13 saves $3.80 per 1,000 (±0.34) and may be anything from 5.6 points worse to 9.0 better on accepted. "
        "At this spread you need about 140 more examples, $2.10."
    )


def test_the_stored_reason_does_not_feed_back_into_the_sentence():
    assert headline(changed(SHIP.verdict, reason="something else")) == headline(SHIP.verdict)


def test_a_noninferiority_ship_says_the_saving_and_what_was_shown():
    verdict = changed(primary(UNDECIDED.verdict, low=-0.012, high=0.046), verdict="ship", needs=None)
    assert headline(verdict).startswith(
        "reply@v13 saves $3.80 per 1,000 (±0.34) and is shown not to be worse by more than 4 points on accepted "
        "(−1.2 to +4.6)."
    )


def test_not_worse_but_dearer_is_rejected_for_want_of_a_saving():
    dearer = CostComparison(difference_per_1k_usd=3.0, low=2.0, high=4.0, shown="worse")
    verdict = changed(primary(UNDECIDED.verdict, low=-0.012, high=0.046), verdict="reject", needs=None, cost=dearer)
    assert "costs $3.00 more per 1,000" in headline(verdict)
    assert "Rejected because it saves neither dollars nor time." in headline(verdict)


def test_a_broken_guard_is_named_with_its_numbers_and_what_was_asked():
    guard = Guard(metric="latency_p95_s", margin=5.0, holds="reject")
    verdict = with_rule(SHIP, "reject", guards=(guard,))
    assert headline(verdict).endswith("4.5).")
    assert "Rejected because p95 latency is 7.4 s higher (+4.6 to +9.1; asked: not above +5.0)." in headline(verdict)


def test_a_guard_that_is_not_shown_holds_the_verdict_open():
    guard = Guard(metric="latency_p95_s", margin=8.0, holds="undecided")
    said = headline(with_rule(SHIP, "undecided", guards=(guard,)))
    assert "34.4 points more right" in said
    assert "Not decided because p95 latency is 7.4 s higher" in said


def test_the_value_rule_says_what_is_left_at_that_price():
    verdict = with_rule(SHIP, "ship", kind="value", usd_per_success=0.05, margin=0.0, guards=())
    assert headline(verdict).endswith(
        "costs 3.9 cents (3.4 to 4.5); at 5.0 cents each it is worth $3.89 net per 1,000."
    )
    verdict = with_rule(SHIP, "reject", kind="value", usd_per_success=0.02, margin=0.0, guards=())
    assert "at 2.0 cents each it is short of its price by $6.43 net per 1,000." in headline(verdict)


def test_too_few_examples_cannot_decide_whatever_the_numbers():
    few = changed(
        UNDECIDED.verdict, dataset=msgspec.structs.replace(UNDECIDED.verdict.dataset, examples=12, clusters=12)
    )
    assert headline(few).startswith("12 examples cannot decide: below 20 independent units")
    clusters = changed(UNDECIDED.verdict, dataset=msgspec.structs.replace(UNDECIDED.verdict.dataset, clusters=7))
    assert headline(clusters).startswith("7 clusters cannot decide")


def test_no_number_of_examples_is_said_as_such():
    verdict = changed(UNDECIDED.verdict, needs=Needs(examples=None, cost_usd=None, note="No number would decide it."))
    assert headline(verdict).endswith("No number would decide it.")


def test_a_need_without_a_price_leaves_the_price_out_and_rounds_what_is_an_estimate():
    verdict = changed(UNDECIDED.verdict, needs=Needs(examples=2026, cost_usd=None))
    assert headline(verdict).endswith("you need about 2,100 more examples.")


def test_what_was_not_recorded_is_not_in_the_sentence():
    said = headline(without_money(SHIP.verdict))
    assert said == "gpt-4-0314 answers 34.4 points more right (±4.3)."


def test_a_difference_that_is_not_shown_is_said_to_be_not_shown():
    same = CostComparison(difference_per_1k_usd=0.02, low=-0.1, high=0.14)
    quiet = LatencyComparison(p50_difference_s=0, p50_low=-1, p50_high=1, p95_difference_s=0, p95_low=-1, p95_high=1)
    said = headline(changed(SHIP.verdict, cost=same, latency=quiet))
    assert said.endswith("No difference in cost or latency at p50 is shown.")
    assert "$0.02" not in said


def test_other_kinds_of_metric_have_their_own_words():
    mean = MetricComparison(
        metric="rouge_l", difference=0.031, low=0.019, high=0.043, p=0.01, p_adjusted=0.01, method="paired t",
        kind="mean", wins=1, ties=0, losses=0, shown="better",
    )  # fmt: skip
    rule = msgspec.structs.replace(SHIP.verdict.rule, metric="rouge_l", margin=0.0, guards=())
    verdict = changed(SHIP.verdict, comparisons=(mean,), rule=rule)
    assert headline(verdict).startswith("gpt-4-0314 scores 3.1 points higher on rouge_l (±1.2), costs")
    words = msgspec.structs.replace(
        mean, kind="amount", unit="words", difference=-12.4, low=-20.0, high=-1.0, better="lower"
    )
    verdict = changed(SHIP.verdict, comparisons=(words,), rule=rule)
    assert headline(verdict).startswith("gpt-4-0314 is 12.4 words lower on rouge_l (−20.0 to −1.0), costs")


def test_a_lopsided_interval_is_given_by_its_ends():
    assert "34.4 points more right (+20.0 to +38.7)" in headline(primary(SHIP.verdict, low=0.2))


def test_a_name_with_control_sequences_is_stripped_of_them():
    named = msgspec.structs.replace(SHIP.verdict.candidate, name="gpt\x1b[31m-x\u202e\n\x07")
    said = headline(changed(SHIP.verdict, candidate=named))
    assert said.startswith("gpt-x answers")


def test_a_very_long_name_is_cut_in_its_middle():
    named = msgspec.structs.replace(SHIP.verdict.candidate, name="organisation/" + "model-" * 40 + "v2")
    said = headline(changed(SHIP.verdict, candidate=named))
    assert said.startswith("organisation/model-")
    assert "…" in said[:60]
    assert "model-v2 answers 34.4 points more right" in said
