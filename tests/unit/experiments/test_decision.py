import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.experiments.decision import MIN_UNITS, Evidence, Interval, decide
from boxscore.experiments.verdict import Guard, Rule

UP, DOWN, OPEN = Interval(0.05, 0.02, 0.08), Interval(-0.05, -0.08, -0.02), Interval(0.0, -0.03, 0.03)
NONINFERIORITY = Rule(metric="exact", kind="noninferiority", margin=0.04)


@pytest.mark.parametrize(
    ("low", "high", "margin", "decision"),
    [
        (0.01, 0.05, 0.0, "ship"),
        (-0.05, -0.01, 0.0, "reject"),
        (-0.01, 0.05, 0.0, "undecided"),
        (0.0, 0.05, 0.0, "undecided"),
        (0.01, 0.05, 0.02, "undecided"),
        (0.021, 0.05, 0.02, "ship"),
        (0.005, 0.019, 0.02, "reject"),
        (0.0, 0.0, 0.0, "undecided"),
    ],
)
def test_superiority(low, high, margin, decision):
    found = decide(Rule(metric="exact", margin=margin), units=100, primary=Interval((low + high) / 2, low, high))

    assert found.decision == decision
    assert found.decided_by.role == "primary"


@pytest.mark.parametrize(
    ("primary", "savings", "decision", "role"),
    [
        (OPEN, {"cost_per_1k_usd": UP}, "ship", "primary"),
        (OPEN, {"cost_per_1k_usd": DOWN, "latency_p50_s": UP}, "ship", "primary"),
        (OPEN, {"cost_per_1k_usd": DOWN}, "reject", "saving"),
        (OPEN, {"cost_per_1k_usd": Interval(0.0, 0.0, 0.0)}, "reject", "saving"),
        (OPEN, {"cost_per_1k_usd": DOWN, "latency_p50_s": OPEN}, "undecided", "saving"),
        (OPEN, {}, "undecided", "saving"),
        (Interval(-0.03, -0.05, -0.01), {"cost_per_1k_usd": UP}, "undecided", "primary"),
        (Interval(-0.03, -0.05, -0.01), {"cost_per_1k_usd": DOWN}, "undecided", "primary"),
        (Interval(-0.08, -0.1, -0.05), {"cost_per_1k_usd": UP}, "reject", "primary"),
    ],
)
def test_noninferiority(primary, savings, decision, role):
    found = decide(NONINFERIORITY, units=100, primary=primary, savings=savings)

    assert (found.decision, found.decided_by.role) == (decision, role)


@pytest.mark.parametrize(("benefit", "decision"), [(UP, "ship"), (DOWN, "reject"), (OPEN, "undecided")])
def test_value_looks_at_the_net_benefit_alone(benefit, decision):
    rule = Rule(metric="exact", kind="value", usd_per_success=0.1)
    found = decide(rule, units=100, primary=OPEN, net_benefit=benefit)

    assert found.decision == decision
    assert found.decided_by.role == "net benefit"


def test_value_without_a_net_benefit_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="net benefit"):
        decide(Rule(metric="exact", kind="value"), units=100, primary=UP)


@pytest.mark.parametrize(
    ("guard", "evidence", "holds", "decision"),
    [
        (Guard(metric="refusals", margin=0.05), Evidence(difference=OPEN), "ship", "ship"),
        (Guard(metric="refusals", margin=0.02), Evidence(difference=OPEN), "undecided", "undecided"),
        (Guard(metric="refusals", margin=0.01), Evidence(difference=DOWN), "reject", "reject"),
        (Guard(metric="errors", margin=0.0), Evidence(difference=Interval(0.0, 0.0, 0.0)), "ship", "ship"),
        (Guard(metric="refusals", margin=0.05), Evidence(), "undecided", "undecided"),
        (Guard(metric="latency_p95_s", ceiling=2.0), Evidence(own=Interval(1.5, 1.0, 2.0)), "ship", "ship"),
        (Guard(metric="latency_p95_s", ceiling=2.0), Evidence(own=Interval(1.9, 1.0, 2.5)), "undecided", "undecided"),
        (Guard(metric="latency_p95_s", ceiling=2.0), Evidence(own=Interval(2.9, 2.1, 3.5)), "reject", "reject"),
        (Guard(metric="latency_p95_s", ceiling=2.0), Evidence(difference=UP), "undecided", "undecided"),
    ],
)
def test_a_guard_that_is_shown_worse_rejects_and_one_not_shown_leaves_open(guard, evidence, holds, decision):
    found = decide(Rule(metric="exact", guards=(guard,)), units=100, primary=UP, guards=[evidence])

    assert found.guards[0].holds == holds
    assert found.decision == decision
    if decision != "ship":
        assert (found.decided_by.role, found.decided_by.metric) == ("guard", guard.metric)


def test_a_guard_shown_worse_rejects_even_while_the_primary_metric_is_open():
    rule = Rule(metric="exact", guards=(Guard(metric="refusals", margin=0.01),))

    assert decide(rule, units=100, primary=OPEN, guards=[Evidence(difference=DOWN)]).decision == "reject"


def test_below_the_least_number_of_units_nothing_is_decided():
    few = decide(Rule(metric="exact"), units=MIN_UNITS - 1, primary=UP)
    enough = decide(Rule(metric="exact"), units=MIN_UNITS, primary=UP)

    assert (few.decision, enough.decision) == ("undecided", "ship")
    assert few.decided_by.role == "units"
    assert "only 19 independent examples" in few.note
    assert "cannot decide" in few.note


def test_every_guard_needs_evidence():
    with pytest.raises(ValueError, match="1 guards, and evidence was given for 0"):
        decide(Rule(metric="exact", guards=(Guard(metric="errors", margin=0.0),)), units=100, primary=UP)


def test_grounds_are_json():
    found = decide(NONINFERIORITY, units=100, primary=OPEN, savings={"cost_per_1k_usd": UP})

    assert msgspec.json.decode(msgspec.json.encode(found))["decision"] == "ship"


intervals = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(lambda p: Interval(sum(p) / 2, min(p), max(p)))


@settings(deadline=None)
@given(intervals, intervals, intervals, st.floats(0.001, 0.5))
def test_ship_means_that_every_condition_holds_and_reject_that_one_is_shown_to_fail(primary, saving, guard, margin):
    rule = Rule(metric="exact", kind="noninferiority", margin=margin, guards=(Guard(metric="refusals", margin=margin),))
    found = decide(rule, units=100, primary=primary, savings={"cost": saving}, guards=[Evidence(difference=guard)])
    outcomes = [condition.outcome for condition in found.conditions]

    assert (found.decision == "ship") == all(outcome == "ship" for outcome in outcomes)
    if found.decision == "reject":
        assert found.decided_by.outcome == "reject"
