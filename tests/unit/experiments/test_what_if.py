"""What another rule would have decided: the same as deciding it anew, and the same in the browser."""

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from boxscore.datasets.example import Example
from boxscore.experiments.comparing import compare_runs
from boxscore.experiments.statistics import benefit_line, net_benefit
from boxscore.experiments.trial import Run, Trial, VariantInfo
from boxscore.experiments.verdict import Decision, Guard, Rule, RuleKind, Verdict
from boxscore.experiments.what_if import Estimates, estimates, would
from boxscore.providers.response import Response
from boxscore.scoring.scorer import Metric, Score

CASES = Path(__file__).parents[3] / "web" / "src" / "pages" / "experiments" / "decide.cases.json"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """`of` is the place of its estimates."""

    of: int
    kind: RuleKind
    setting: float
    decision: Decision
    benefit: tuple[float, float, float] | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    estimates: list[Estimates]
    cases: list[Case]


SETTINGS: dict[RuleKind, tuple[float, ...]] = {
    "superiority": (0.0, 0.05, 0.2, 0.4),
    "noninferiority": (0.005, 0.05, 0.3),
    "value": (0.01, 0.05, 0.1, 2.0),
}
WORLDS = [
    (seed, gain, dearer, slower, examples)
    for seed, (gain, dearer, slower, examples) in enumerate(
        [
            (0.3, 0.02, 0.4, 200),
            (0.0, -0.02, -0.4, 200),
            (-0.3, -0.02, -0.4, 200),
            (0.05, 0.001, 0.0, 60),
            (-0.02, 0.02, 0.5, 300),
            (0.3, 0.02, 0.0, 12),
        ]
    )
]


def one_run(name: str, rate: float, cost: float, seconds: float, examples: int, seed: int) -> Run:
    dice = np.random.default_rng(seed)
    right, noise = dice.random(examples) < rate, dice.lognormal(0.0, 0.3, examples)
    trials = tuple(
        Trial(
            example_id=str(at),
            response=Response(
                output="x", cost_usd=Decimal(f"{cost * noise[at]:.8f}"), latency_s=seconds * float(noise[at])
            ),
            scores={"right": Score(value=float(right[at]))},
        )
        for at in range(examples)
    )
    return Run(
        id=name,
        variant=VariantInfo(name=name, hash=name),
        dataset_name="made",
        dataset_version="1",
        examples=tuple(Example(id=str(at), inputs={"q": str(at)}) for at in range(examples)),
        metrics=(Metric(name="right", kind="rate"),),
        trials=trials,
    )


def compared(world: tuple[int, float, float, float, int], rule: Rule) -> Verdict:
    seed, gain, dearer, slower, examples = world
    baseline = one_run("old", 0.5, 0.03, 1.0, examples, seed)
    candidate = one_run("new", 0.5 + gain, 0.03 + dearer, 1.0 + slower, examples, seed + 100)
    return compare_runs(baseline, candidate, rule).verdict


def rule_of(kind: RuleKind, setting: float, guards: tuple[Guard, ...] = ()) -> Rule:
    if kind == "value":
        return Rule(metric="right", kind=kind, usd_per_success=setting, guards=guards)
    return Rule(metric="right", kind=kind, margin=setting, guards=guards)


@pytest.mark.parametrize("guards", [(), (Guard(metric="cost_per_1k_usd", margin=5.0),)], ids=["bare", "guarded"])
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world[1]:+}")
def test_any_setting_decides_as_if_it_had_been_the_rule(
    world: tuple[int, float, float, float, int], guards: tuple[Guard, ...]
) -> None:
    found = estimates(compared(world, rule_of("superiority", 0.02, guards)))

    for kind, settings in SETTINGS.items():
        for setting in settings:
            anew = compared(world, rule_of(kind, setting, guards)).verdict
            assert would(found, kind, setting) == anew, (kind, setting)


def test_net_benefit_at_any_price_is_the_estimators_own() -> None:
    dice = np.random.default_rng(7)
    gains, costs = dice.choice([-1.0, 0.0, 1.0], 300), dice.normal(0.01, 0.02, 300)
    clusters = np.arange(300) // 3
    line = benefit_line(gains, costs, clusters=clusters)
    assert line is not None

    for price in (0.0, 0.01, 0.3, 5.0):
        own = net_benefit(gains, costs, price, clusters=clusters)
        assert line.at(price) == pytest.approx((own.difference, own.low, own.high), rel=1e-9, abs=1e-9)


def test_the_cases_of_the_browser_are_what_is_decided_here() -> None:
    told = msgspec.json.decode(CASES.read_bytes(), type=Told)

    for case in told.cases:
        found = told.estimates[case.of]
        assert would(found, case.kind, case.setting) == case.decision, case
        if case.benefit is not None:
            assert found.benefit is not None
            assert found.benefit.at(case.setting) == pytest.approx(case.benefit)
    assert len(told.cases) > 100
    assert {case.decision for case in told.cases} == {"ship", "reject", "undecided"}


def cases() -> Told:
    told: list[Case] = []
    worlds: list[Estimates] = []
    for world in WORLDS:
        for guards in ((), (Guard(metric="cost_per_1k_usd", margin=5.0),)):
            found = estimates(compared(world, rule_of("superiority", 0.02, guards)))
            for kind, settings in SETTINGS.items():
                for setting in settings:
                    benefit = found.benefit.at(setting) if found.benefit and kind == "value" else None
                    decision = would(found, kind, setting)
                    told.append(Case(of=len(worlds), kind=kind, setting=setting, decision=decision, benefit=benefit))
            worlds.append(found)
    return Told(estimates=worlds, cases=told)


if __name__ == "__main__":  # writes the table of the browser anew
    CASES.write_bytes(msgspec.json.format(msgspec.json.encode(cases()), indent=0) + b"\n")
