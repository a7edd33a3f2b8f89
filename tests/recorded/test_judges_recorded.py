"""Verdicts of recorded judges and ratings of people, given again through the judges: what is told of them equals what
their rows say when they are counted directly."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import boxscore
from boxscore import Judge
from boxscore.types import Json

pytestmark = pytest.mark.recorded

Recorded = Callable[[str], Path]


def lines(path: Path) -> list[dict[str, Json]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("judge", "prompt"),
    [("GPT-4", "Swap"), ("ChatGPT", "Vanilla"), ("Falcon", "CoT"), ("LLaMA2", "Swap"), ("PaLM2", "Vanilla_NoRules")],
)
def test_recorded_preferences_in_both_orders(recorded: Recorded, tmp_path: Path, judge: str, prompt: str) -> None:
    rows = lines(recorded("judgments/llmbar_natural.jsonl"))
    votes = {
        row["id"]: {
            vote["order"]: vote["vote"] for vote in row["judges"] if (vote["judge"], vote["prompt"]) == (judge, prompt)
        }
        for row in rows
    }
    answers = {row["id"]: (row["output_a"], row["output_b"]) for row in rows}

    def vote(inputs: dict[str, Json], first: str, second: str) -> str:
        """The recorded judge's word: its vote is for a or b, whichever was shown first."""
        order = "ab" if (first, second) == answers[inputs["id"]] else "ba"
        said = votes[inputs["id"]][order]
        return "No verdict." if said is None else json.dumps({"verdict": "first" if said == order[0] else "second"})

    verdict = boxscore.compare(
        dataset=[{"id": row["id"], "inputs": {"id": row["id"], "q": row["instruction"]}} for row in rows],
        baseline=lambda id: answers[id][0],
        candidate=lambda id: answers[id][1],
        judges=[Judge("preferred", kind="pairwise", by=vote)],
        home=tmp_path,
    ).verdict

    known = [pair for pair in votes.values() if None not in pair.values()]
    shares = [sum(said == "b" for said in pair.values()) / 2 for pair in known]
    told, compared = verdict.judges[0], verdict.comparisons[0]
    assert compared.difference == pytest.approx(sum(2 * share - 1 for share in shares) / len(rows))
    assert (compared.wins, compared.losses) == (shares.count(1.0), shares.count(0.0))
    assert compared.ties == len(rows) - compared.wins - compared.losses
    assert told.pairs == len(known)
    assert told.disagreed == shares.count(0.5)
    assert told.first_favoured == sum((pair["ab"], pair["ba"]) == ("a", "b") for pair in known)
    assert told.second_favoured == sum((pair["ab"], pair["ba"]) == ("b", "a") for pair in known)
    assert told.errors == sum(said is None for pair in votes.values() for said in pair.values())


def test_the_published_agreement_of_orders(recorded: Recorded) -> None:
    """LLMBar's statistics.json: GPT-4 with the wording Swap agrees with itself on 97 of 100 pairs."""
    rows = lines(recorded("judgments/llmbar_natural.jsonl"))
    pairs = [
        {vote["order"]: vote["vote"] for vote in row["judges"] if (vote["judge"], vote["prompt"]) == ("GPT-4", "Swap")}
        for row in rows
    ]

    assert sum(pair["ab"] == pair["ba"] for pair in pairs) == 97


def test_recorded_ratings_of_people_on_a_scale_and_as_a_rubric(recorded: Recorded, tmp_path: Path) -> None:
    rows = [row for row in lines(recorded("ratings/mtrag.jsonl")) if row["model"] != "reference"]
    criteria = ("naturalness", "appropriateness", "completeness", "faithfulness")
    models = ("llama-3.1-405b-instruct", "gpt-4o")
    found = {(row["task_id"], row["model"]): row for row in rows}
    ratings = {
        (row["task_id"], row["output"]): {name: int(min(row["human"][name].items())[1]) for name in criteria}
        for row in rows
    }
    tasks = sorted({row["task_id"] for row in rows})

    def rate(inputs: dict[str, Json], answer: str) -> str:
        rating = ratings[inputs["task"], answer]
        return json.dumps({name: {"reason": "", "verdict": rating[name]} for name in criteria})

    def complete(inputs: dict[str, Json], answer: str) -> str:
        return str(ratings[inputs["task"], answer]["completeness"])

    verdict = boxscore.compare(
        dataset=[{"id": task, "inputs": {"task": task}} for task in tasks],
        baseline=lambda task: found[task, models[0]]["output"],
        candidate=lambda task: found[task, models[1]]["output"],
        judges=[
            Judge("complete", "How complete is it?", kind="ordinal", scale=[1, 4], by=complete),
            Judge(
                "quality",
                kind="rubric",
                criteria={name: {"question": name, "scale": [1, 4]} for name in criteria},
                by=rate,
            ),
        ],
        home=tmp_path,
    ).verdict

    def mean(model: str, names: tuple[str, ...]) -> float:
        given = [ratings[task, found[task, model]["output"]] for task in tasks]
        return sum((rating[name] - 1) / 3 for rating in given for name in names) / (len(given) * len(names))

    for summary, model in ((verdict.baseline, models[0]), (verdict.candidate, models[1])):
        assert summary.metrics["complete"].value == pytest.approx(mean(model, ("completeness",)))
        assert summary.metrics["quality"].value == pytest.approx(mean(model, criteria))
        for name in criteria:
            assert summary.metrics[f"quality.{name}"].value == pytest.approx(mean(model, (name,)))
    assert verdict.dataset.examples == len(tasks) == 82
