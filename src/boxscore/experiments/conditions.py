"""The conditions of a rule: what it asks of a paired table, estimated and held against its thresholds."""

import math
from dataclasses import dataclass

import numpy as np

from boxscore.errors import UnknownNameError, UnknownPriceError
from boxscore.experiments import decision, measures, statistics
from boxscore.experiments.decision import Grounds, Interval
from boxscore.experiments.rule import OPERATIONS
from boxscore.experiments.statistics import Difference
from boxscore.experiments.table import PairedTable
from boxscore.experiments.verdict import Guard, Rule, VariantSummary
from boxscore.scoring.scorer import Metric

LATENCY = {"latency_p50_s": 0.5, "latency_p95_s": 0.95}


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """`difference` is the primary one at level `alpha`, `candidate` the candidate's own numbers."""

    table: PairedTable
    rule: Rule
    primary: Metric
    difference: Difference
    candidate: VariantSummary
    alpha: float
    seed: int

    def decide(self) -> Grounds:
        """Raises `UnknownPriceError` where the rule or a guard needs dollars that are not known."""
        rule, net = self.rule, None
        if rule.kind == "value":
            found = net_benefit(self.table, self.primary, rule, self.alpha)
            net = Interval(found.difference, found.low, found.high)
        return decision.decide(
            rule,
            units=self.table.units,
            primary=_oriented(self.difference, self.primary.better),
            savings=self._savings() if rule.kind == "noninferiority" else None,
            net_benefit=net,
            guards=[self._guard(guard) for guard in rule.guards],
            uncalibrated=self._judges(),
        )

    def _judges(self) -> list[str]:
        """The judges whose word the rule rests on: of the primary metric and of guards."""
        asked = {self.rule.metric, *(guard.metric for guard in self.rule.guards)}
        return [metric.judge for metric in self.table.metrics if metric.judge is not None and metric.name in asked]

    def _savings(self) -> dict[str, Interval]:
        found = {
            "cost_per_1k_usd": measures.cost_per_1k(self.table, self.alpha),
            "latency_p50_s": self._latency("latency_p50_s"),
        }
        savings = {name: _oriented(difference, "lower") for name, difference in found.items() if difference}
        if not savings:
            raise no_price(self.table, "the noninferiority rule, which asks for a saving in dollars or latency,")
        return savings

    def _latency(self, name: str) -> Difference | None:
        found = measures.latency_differences(self.table, (LATENCY[name],), self.alpha, self.seed)
        return found[0] if found else None

    def _guard(self, guard: Guard) -> decision.Evidence:
        """What is known of the guarded metric: its difference, turned so that more is better, and the candidate's own
        value."""
        name, own = guard.metric, self.candidate
        if name == "cost_per_1k_usd":
            found = measures.cost_per_1k(self.table, self.alpha)
            if own.cost_per_1k_usd is None if guard.ceiling is not None else found is None:
                raise no_price(self.table, f"the guard on {name}")
            return _evidence(found, own.cost_per_1k_usd, own.cost_per_1k_low, own.cost_per_1k_high)
        if name == "latency_p50_s":
            return _evidence(self._latency(name), own.latency_p50_s, own.latency_p50_low, own.latency_p50_high)
        if name == "latency_p95_s":
            return _evidence(self._latency(name), own.latency_p95_s, own.latency_p95_low, own.latency_p95_high)
        if name == "tokens_out":
            found = measures.tokens_difference(self.table, self.alpha)
            return _evidence(found, own.tokens_out, own.tokens_out_low, own.tokens_out_high)
        if name == "errors":
            before, after = self.table.baseline.failed, self.table.candidate.failed
            found = statistics.paired(before, after, clusters=self.table.clusters, kind="rate", alpha=self.alpha)
            rate = statistics.rate(after, self.table.clusters, alpha=self.alpha)
            return _evidence(found, rate.value, rate.low, rate.high)
        names = [metric.name for metric in self.table.metrics]
        if name not in names:
            raise UnknownNameError("guard metric", name, [*names, *OPERATIONS])
        metric, value = self.table.metric(name), own.metrics.get(name)
        found = measures.metric_difference(self.table, metric, self.alpha)
        if value is None or found is None:
            return decision.Evidence()
        return _evidence(found, value.value, value.low, value.high, better=metric.better)


def net_benefit(table: PairedTable, primary: Metric, rule: Rule, alpha: float) -> Difference:
    """Dollars per 1,000 examples at the rule's price of a success. Raises `UnknownPriceError`."""
    gains, costs, clusters = measures.worth(table, primary)
    if not len(gains):
        raise no_price(table, "the value rule")
    return statistics.net_benefit(gains, costs, rule.usd_per_success or 0.0, clusters=clusters, alpha=alpha)


def no_price(table: PairedTable, needed_by: str) -> UnknownPriceError:
    """The error for the first side of which no dollar is known."""
    sides = (table.candidate, table.baseline)
    variant = max(sides, key=lambda side: int(np.isnan(side.cost).sum())).run.variant
    return UnknownPriceError(variant.model or variant.name, needed_by=needed_by)


def _evidence(
    difference: Difference | None,
    value: float | None,
    low: float | None,
    high: float | None,
    *,
    better: str = "lower",
) -> decision.Evidence:
    own = None
    if value is not None:
        own = Interval(value, -math.inf if low is None else low, math.inf if high is None else high)
    return decision.Evidence(difference and _oriented(difference, better), own)


def _oriented(found: Difference, better: str) -> Interval:
    if better == "higher":
        return Interval(found.difference, found.low, found.high)
    return Interval(-found.difference, -found.high, -found.low)
