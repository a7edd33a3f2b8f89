"""The fine print: what a reader needs to doubt or to repeat a verdict."""

from datetime import datetime

from boxscore import figures
from boxscore.experiments.report.rows import rows
from boxscore.experiments.report.score import missing
from boxscore.experiments.verdict import JudgeInfo, Provenance, Rule, Verdict
from boxscore.text import stripped


def entries(verdict: Verdict) -> list[tuple[str, str]]:
    """Term and statement, in the order of a page. Statements are plain text; what is empty is left out."""
    made = verdict.provenance
    primary = next((c for c in verdict.comparisons if c.metric == verdict.rule.metric), None)
    found = [
        ("examples", _examples(verdict)),
        ("rule", rule_words(verdict.rule, verdict)),
        ("guards", _guards(verdict)),
        (
            "pairs",
            f"{primary.wins:,} better, {primary.ties:,} tied, {primary.losses:,} worse; "
            f"{figures.p_value(primary.p)}" if primary else "",
        ),
        ("intervals", methods(verdict)),
        ("sensitivity", verdict.sensitivity or ""),
        ("errors", _errors(verdict)),
        ("not recorded", ", ".join(missing(verdict))),
    ]  # fmt: skip
    if made is not None:
        found += [
            ("corrections", "; ".join(made.corrections)),
            ("scorers", ", ".join(made.scorers)),
            ("judges", "; ".join(_judge(judge) for judge in verdict.judges)),
            ("prices", "; ".join(made.prices)),
            ("answers", _answers(verdict)),
            ("spend", _spend(verdict)),
            ("judging", _judging(verdict)),
            ("power", _power(verdict)),
            ("made", f"boxscore {made.boxscore_version}, {made.created_at}, seed {made.seed}"),
            ("reproduce", made.command or ""),
        ]
    found.append(("variants", "; ".join(f"{v.name} {v.hash[:12]}" for v in (verdict.baseline, verdict.candidate))))
    return [(term, stripped(text)) for term, text in found if text]


def facts(verdict: Verdict) -> list[str]:
    """The same in sentences, for a terminal: only what fits a few lines."""
    made = verdict.provenance
    said = ["Fine print. * better, where shown. Right is better; dots, double line: in the margin or guard."]
    said.append(f"Rule {rule_words(verdict.rule, verdict)}.")
    if methods(verdict):
        said.append(f"{methods(verdict)}.")
    if made is not None:
        said += [f"{text}." for text in made.corrections if "over the candidates" in text]
    if verdict.dataset.unpaired:
        said.append(f"{figures.counted(verdict.dataset.unpaired, 'example')} unpaired, counted as failures.")
    if verdict.sensitivity:
        said.append(verdict.sensitivity.rstrip(".") + ".")
    errors = _errors(verdict)
    if errors:
        said.append(f"Errors: {errors}.")
    lacking = missing(verdict)
    if lacking:
        said.append(f"Not recorded: {', '.join(lacking)}.")
    if made is not None:
        said += [f"Scorers: {', '.join(made.scorers)}."] if made.scorers else []
        said += [f"Judge {_judge(judge)}." for judge in verdict.judges]
        said += [f"Prices: {'; '.join(made.prices)}."] if made.prices else []
        said += [f"Answers {_answers(verdict)}."] if _answers(verdict) else []
        said += [f"Spent {_spend(verdict)}."] if _spend(verdict) else []
        said += [f"Judging {_judging(verdict)}."] if _judging(verdict) else []
    return [stripped(text) for text in said]


def rule_words(rule: Rule, verdict: Verdict) -> str:
    """`noninferiority, margin 2.0 points on accuracy, alpha 0.05`."""
    row = next((row for row in rows(verdict) if row.role == "primary"), None)
    words = f"{rule.kind} on {rule.metric}"
    if rule.kind == "value":
        words += f", {figures.coins(rule.usd_per_success or 0.0)} a success"
    elif rule.margin and row is not None:
        words += f", margin {row.unit.full(rule.margin)}"
    return f"{words}, alpha {rule.alpha:g}"


def methods(verdict: Verdict) -> str:
    """The names of the estimators, each once."""
    named = [value.method for value in verdict.candidate.metrics.values()]
    named += [comparison.method for comparison in verdict.comparisons]
    named += [part.method for part in (verdict.cost, verdict.latency) if part is not None]
    return "; ".join(dict.fromkeys(part for name in named for part in name.split("; ") if part))


def _examples(verdict: Verdict) -> str:
    data = verdict.dataset
    parts = [f"{data.name}@{data.version}" if data.version else data.name, f"{data.examples:,} paired"]
    if data.total > data.examples:
        parts[-1] += f" of {data.total:,}"
    parts.append("no clusters" if data.clusters == data.examples else figures.counted(data.clusters, "cluster"))
    parts.append(figures.counted(data.repeats, "repeat"))
    parts.append(f"{data.unpaired:,} unpaired, counted as failures" if data.unpaired else "none missing")
    return ", ".join(parts)


def _guards(verdict: Verdict) -> str:
    said: list[str] = []
    for row in rows(verdict):
        if row.role == "guard":
            note = next((g.note for g in verdict.rule.guards if g.metric == row.key and g.note), None)
            said.append(f"{row.label} {row.asked}: {row.outcome}" + (f" ({note})" if note else ""))
    return "; ".join(said)


def _errors(verdict: Verdict) -> str:
    pair = (verdict.baseline, verdict.candidate)
    if not any(variant.errors for variant in pair):
        return ""
    return ", ".join(f"{v.name} {v.errors:,} of {v.trials:,}" for v in pair) + "; each counts as a failure"


def _answers(verdict: Verdict) -> str:
    made = verdict.provenance
    if made is None or not (made.answers_from or made.answers_to):
        return ""
    first, last = (made.answers_from or "")[:10], (made.answers_to or "")[:10]
    said = f"of {first}" if first == last or not last else f"of {first} to {last}" if first else f"up to {last}"
    return said + (f", {made.reused_trials:,} reused{_age(made)}" if made.reused_trials else "")


def _age(made: Provenance) -> str:
    """`, up to 5 h old`: how old the oldest answer was when the verdict was reached."""
    try:
        age = datetime.fromisoformat(made.created_at) - datetime.fromisoformat(made.answers_from or "")
    except (TypeError, ValueError):  # not both known, or one of them without its zone
        return ""
    hours = age.total_seconds() / 3600
    if hours < 1:
        return ", up to an hour old"
    return f", up to {hours:.0f} h old" if hours < 48 else f", up to {figures.counted(round(hours / 24), 'day')} old"


def _spend(verdict: Verdict) -> str:
    made = verdict.provenance
    if made is None or made.spent_usd is None:
        return ""
    if made.spent_usd:
        return figures.money(made.spent_usd)
    asked = sum(variant.trials for variant in (verdict.baseline, verdict.candidate))
    if made.reused_trials >= asked:
        return "$0.00: all answers were there"
    return "$0.00" if verdict.cost is not None else ""


def level(verdict: Verdict) -> str:
    """`97.5`: the confidence level of the intervals in percent."""
    return f"{100 * (verdict.confidence_level or 1 - verdict.rule.alpha):.3g}"


def _judge(judge: JudgeInfo) -> str:
    """`helpful: binary, gpt-4o-mini 1f0c2a, uncalibrated, 240 verdicts, 3 repaired`."""
    parts = [judge.kind, f"{judge.model or ''} {judge.hash[:6]}".strip(), judge.calibration]
    parts += ["waived"] if judge.waived else []
    parts.append(figures.counted(judge.verdicts, "verdict"))
    parts += [f"{judge.errors:,} could not be had"] if judge.errors else []
    parts += [f"{judge.repaired:,} repaired"] if judge.repaired else []
    parts += [f"{judge.reused:,} reused"] if judge.reused else []
    if judge.pairs is not None:
        parts.append(f"both orders of {figures.counted(judge.pairs, 'pair')}, {judge.disagreed or 0:,} disagree")
    return f"{judge.name}: {', '.join(parts)}"


def _judging(verdict: Verdict) -> str:
    """What verdicts cost: never a part of what the variants cost."""
    made = verdict.provenance
    return "" if made is None or made.judge_spent_usd is None else figures.money(made.judge_spent_usd)


def _power(verdict: Verdict) -> str:
    made = verdict.provenance
    row = next((row for row in rows(verdict) if row.role == "primary"), None)
    if made is None or made.minimum_detectable is None or row is None:
        return ""
    return f"this dataset sees {row.unit.full(made.minimum_detectable)} at 80 % power"
