"""What a reader is told of judges, beside the numbers that they gave."""

from collections.abc import Iterator, Sequence

from boxscore.experiments.decision import Condition
from boxscore.experiments.judges.bias import family
from boxscore.experiments.verdict import JudgeInfo, Rule

STRONG = 0.3
"""A correlation with length from here on is told: a medium effect by Cohen (1988)."""


UNJUDGED = (
    "Without the answers that have no verdict it would be decided otherwise, so nothing is decided: run it again to "
    "ask for those verdicts."
)


def warnings(judges: Sequence[JudgeInfo], rule: Rule, baseline: str | None, candidate: str | None) -> Iterator[str]:
    """`baseline` and `candidate` are the models that answered."""
    names = [judge.name for judge in judges if judge.calibration == "uncalibrated"]
    if names:
        waived = f" The rule waives {_and(rule.waive)}." if rule.waive else ""
        if len(names) == 1:
            yield f"{names[0]} is an uncalibrated judge: how often it is wrong is not known.{waived}"
        else:
            yield f"{_and(names)} are uncalibrated judges: how often they are wrong is not known.{waived}"
    for judge in judges:
        if judge.errors:
            asked = judge.errors + judge.verdicts
            count = "ties" if judge.kind == "pairwise" else "failures"
            missing = f"{judge.errors:,} of {asked:,} questions ({judge.failures})"
            yield f"{judge.name} gave no verdict on {missing}; they count as {count}."
        own = family(judge.model)
        kin = [which for which, model in (("baseline", baseline), ("candidate", candidate)) if family(model) == own]
        if own is not None and len(kin) == 1:
            yield (
                f"{judge.name} ({judge.model}) and the {kin[0]} are of one family, {own}: judges tend to prefer their "
                "own kind."
            )


def unwaived(conditions: Sequence[Condition]) -> str:
    """What to do about judges that keep a candidate from shipping; empty where there are none."""
    names = [condition.metric for condition in conditions if condition.role == "calibration"]
    if not names:
        return ""
    what = "an uncalibrated judge" if len(names) == 1 else "uncalibrated judges"
    return (
        f"It does not ship on the word of {_and(names)}, {what}; to ship all the same, the rule says "
        f"waive: [{', '.join(names)}]."
    )


def notes(judges: Sequence[JudgeInfo]) -> Iterator[str]:
    for judge in judges:
        if judge.pairs and judge.disagreed:
            yield f"{judge.name}: {orders(judge)}."
        length = judge.length_correlation
        if length is not None and abs(length) >= STRONG:
            way = "longer" if length > 0 else "shorter"
            yield f"{judge.name} goes with length: {way} answers score higher (r = {length:+.2f})."


def orders(judge: JudgeInfo) -> str:
    """`the two orders disagree on 12 of 100 pairs (12 %), 10 times for the answer shown first`."""
    pairs, disagreed = judge.pairs or 0, judge.disagreed or 0
    share = f"{100 * disagreed / pairs:.0f} %" if pairs else "none"
    first, second = judge.first_favoured or 0, judge.second_favoured or 0
    times, place = max((first, "first"), (second, "second"))
    favour = f", {times:,} times for the answer shown {place}" if disagreed else ""
    return f"the two orders disagree on {disagreed:,} of {pairs:,} pairs ({share}){favour}"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
