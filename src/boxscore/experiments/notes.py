"""Notes: at most two sentences under the headline that could change the reader's mind."""

from collections.abc import Sequence

from boxscore.experiments.verdict import MetricComparison, SliceComparison, VariantSummary

MOST = 2


def find_notes(
    primary: MetricComparison | None,
    slices: Sequence[SliceComparison],
    baseline: VariantSummary,
    candidate: VariantSummary,
    also_run: Sequence[VariantSummary],
) -> tuple[str, ...]:
    """A slice that goes the other way than the whole, and another variant that has most of the gain for less."""
    if primary is None:
        return ()
    notes = (_slice_note(primary, slices), _cheaper_note(primary, baseline, candidate, also_run))
    return tuple(note for note in notes if note)[:MOST]


def _slice_note(primary: MetricComparison, slices: Sequence[SliceComparison]) -> str | None:
    against = "better" if primary.shown == "worse" else "worse"
    other = [part for part in slices if part.shown == against]
    if not other:
        return None
    most = max(other, key=lambda part: abs(part.difference))
    size = _points(most.difference) if primary.kind != "amount" else f"{most.difference:+.3g} {primary.unit}".rstrip()
    values = (
        f" ({100 * most.baseline:.0f} to {100 * most.candidate:.0f} %)"
        if primary.kind != "amount"
        else f" ({most.baseline:.3g} to {most.candidate:.3g})"
    )
    rest = len(other) - 1
    more = f", and {rest} more {'slice' if rest == 1 else 'slices'}" if rest else ""
    return f"{against.capitalize()} where {most.slice} is {most.value}: {size}{values}, n = {most.examples}{more}."


def _cheaper_note(
    primary: MetricComparison,
    baseline: VariantSummary,
    candidate: VariantSummary,
    also_run: Sequence[VariantSummary],
) -> str | None:
    """Of the other variants the one with the most of the gain, if it has more than half of it for less than half the
    extra dollars."""
    if primary.better != "higher" or primary.kind == "amount" or primary.shown != "better":
        return None
    if baseline.cost_per_1k_usd is None or candidate.cost_per_1k_usd is None:
        return None
    extra = candidate.cost_per_1k_usd - baseline.cost_per_1k_usd
    if extra <= 0:
        return None
    best: tuple[float, VariantSummary, float] | None = None
    for other in also_run:
        value = other.metrics.get(primary.metric)
        start = baseline.metrics.get(primary.metric)
        if value is None or start is None or other.cost_per_1k_usd is None:
            continue
        gain, price = value.value - start.value, other.cost_per_1k_usd - baseline.cost_per_1k_usd
        if gain > primary.difference / 2 and price < extra / 2 and (best is None or gain > best[0]):
            best = gain, other, price
    if best is None:
        return None
    gain, other, price = best
    cost = f"for ${price:.2f} of the ${extra:.2f}" if price > 0 else f"and costs ${-price:.2f} less per 1,000"
    return f"{other.name}, also run, gives {100 * gain:.1f} of these {100 * primary.difference:.1f} points {cost}."


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points".replace("-", "−")
