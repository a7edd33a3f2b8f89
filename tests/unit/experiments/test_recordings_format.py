"""Recordings: many models in one file, each line one answer; what is wrong is named, and labels stay unseen."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxscore.datasets import Example
from boxscore.errors import DatasetError, FileError, MissingReferenceError, ScorerError, UnknownNameError
from boxscore.experiments.recordings import Recordings, load_recordings
from boxscore.providers.response import ErrorInfo, Response, Usage
from boxscore.scoring.scorer import Metric, Score

Write = Callable[..., Path]


class Equal:
    """1 where the answer is the reference."""

    spec = "equal"
    metric = Metric(name="equal")

    def score(self, example: Example, response: Response) -> Score:
        if example.reference is None:
            raise MissingReferenceError(self.spec, example.id)
        return Score(value=float(response.output == example.reference))


class Spy:
    """Keeps what it was shown."""

    spec = "spy"
    metric = Metric(name="spy")

    def __init__(self, value: float | None = 1.0) -> None:
        self.seen: list[Example] = []
        self.value = value

    def score(self, example: Example, response: Response) -> Score:
        self.seen.append(example)
        return Score(value=self.value)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(*rows: dict[str, object] | str) -> Path:
        path = tmp_path / "answers.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return path

    return put


def row(case: object = "1", model: str = "old", output: object = "yes", **more: object) -> dict[str, object]:
    return {"case_id": case, "model": model, "output": output, **more}


def test_a_line_becomes_a_trial_with_all_that_was_recorded(write: Write) -> None:
    path = write(
        row(
            prompt="Is it?",
            reference="yes",
            id="x/1",
            set="demo",
            task="t",
            group="g",
            snapshot_date="2024-01-01",
            params={"temperature": 0.1, "trial": 0},
            labels={"right": True},
            recorded_at="2024-05-01T10:00:00",
            latency_s=1.5,
            first_token_s=0.25,
            tokens_in=10,
            tokens_out=3,
            cost_usd=0.0010999999999999,
            finish_reason="stop",
            provider="openai",
            tool_calls=[{"name": "f", "arguments": {"a": 1}}],
        )
    )

    run = load_recordings(path).run("old", [Equal()])
    (trial,) = run.trials

    assert trial.example_id == "1"
    assert trial.scores["equal"].value == 1.0
    assert trial.response.output == "yes"
    assert trial.response.cost_usd == Decimal("0.0010999999999999")
    assert trial.response.price == "recorded"
    assert trial.response.usage == Usage(input_tokens=10, output_tokens=3)
    assert (trial.response.latency_s, trial.response.first_token_s) == (1.5, 0.25)
    assert trial.response.recorded_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert trial.response.tool_calls[0].arguments == {"a": 1}
    assert run.examples == (
        Example(
            id="1",
            inputs={"prompt": "Is it?"},
            reference="yes",
            metadata={"set": "demo", "task": "t", "group": "g"},
        ),
    )
    assert (run.variant.name, run.variant.model, run.dataset_name) == ("old", "old", "answers")
    assert run.scorer_specs == ("equal",)


def test_what_was_not_recorded_is_none(write: Write) -> None:
    fields = (
        "prompt",
        "reference",
        "recorded_at",
        "latency_s",
        "tokens_in",
        "tokens_out",
        "cost_usd",
        "labels",
        "params",
    )

    (trial,) = load_recordings(write(row(**dict.fromkeys(fields)))).run("old", []).trials

    assert trial.response == Response(output="yes", model="old")


def test_labels_are_not_shown_to_scorers(write: Write) -> None:
    spy = Spy()

    load_recordings(write(row(labels={"verdict": "SECRET"}, metadata={"own": 1}))).run("old", [spy])

    assert "SECRET" not in repr(spy.seen)
    assert spy.seen[0].metadata == {"own": 1}


def test_one_file_holds_many_models_over_the_same_examples(write: Write) -> None:
    recordings = load_recordings(write(row(1, "b"), row(1, "a"), row(2, "b"), row(3, "a")))
    a, b = recordings.run("a", []), recordings.run("b", [])

    assert recordings.models() == ("b", "a")
    assert [example.id for example in recordings.dataset.examples] == ["1", "2", "3"]
    assert [example.id for example in a.examples] == ["1", "3"]
    assert [example.id for example in b.examples] == ["1", "2"]
    assert a.dataset_version == b.dataset_version == recordings.dataset.version
    assert a.variant.hash != b.variant.hash


def test_a_model_that_is_not_in_the_file_is_named_with_the_nearest(write: Write) -> None:
    recordings = load_recordings(write(row(model="gpt-4-0314"), row(model="gpt-4-0613")))

    with pytest.raises(UnknownNameError) as caught:
        recordings.run("gpt-4-0641", [])

    assert (caught.value.kind, caught.value.name) == ("model", "gpt-4-0641")
    assert caught.value.nearest in ("gpt-4-0314", "gpt-4-0613")


class TestRepeats:
    def repeats(self, recordings: Recordings) -> list[tuple[str, int, str]]:
        return [(t.example_id, t.repeat, t.response.output) for t in recordings.run("old", []).trials]

    def test_are_told_apart_by_their_trial_and_counted_from_0_in_each_case(self, write: Write) -> None:
        path = write(
            row(1, output="c", params={"trial": 3}),
            row(1, output="a", params={"trial": 1}),
            row(2, output="b", params={"trial": 2}),
        )

        assert self.repeats(load_recordings(path)) == [("1", 1, "c"), ("1", 0, "a"), ("2", 0, "b")]

    @pytest.mark.parametrize("params", [None, {}, {"trial": 0}, {"trial": None}])
    def test_the_same_trial_twice_is_refused_with_both_lines(self, write: Write, params: object) -> None:
        path = write(row(1), row(2), row(1, output="no", params=params))

        with pytest.raises(DatasetError) as caught:
            load_recordings(path)

        assert (caught.value.path, caught.value.line, caught.value.field) == (path, 3, "case_id")
        assert "answered case '1' on line 1 already" in str(caught.value)

    @pytest.mark.parametrize("trial", [-1, 1.5, "a", True, [0]])
    def test_a_trial_that_is_no_number_is_refused(self, write: Write, trial: object) -> None:
        with pytest.raises(DatasetError) as caught:
            load_recordings(write(row(params={"trial": trial})))

        assert caught.value.field == "params.trial"


class TestErrors:
    def test_are_rows_without_scores(self, write: Write) -> None:
        path = write(
            row(1, output=None, error="timed out"),
            row(2, output="ye", error={"kind": "timeout", "message": "after 30 s", "status": 504}),
        )
        spy = Spy()

        first, second = load_recordings(path).run("old", [spy]).trials

        assert first.response.error == ErrorInfo(kind="recorded", message="timed out")
        assert second.response.error == ErrorInfo(kind="timeout", message="after 30 s", status=504)
        assert first.scores == second.scores == {}
        assert spy.seen == []


class TestCases:
    """Lines of one case say the same about it."""

    def example(self, recordings: Recordings) -> Example:
        (example,) = recordings.dataset.examples
        return example

    def test_null_says_nothing(self, write: Write) -> None:
        path = write(row(reference=None, prompt=None), row(model="new", reference="yes", prompt="?", slices={"s": 1}))

        assert self.example(load_recordings(path)) == Example(
            id="1", inputs={"prompt": "?"}, reference="yes", slices={"s": "1"}
        )

    @pytest.mark.parametrize(
        ("field", "one", "other"),
        [
            ("reference", "yes", "no"),
            ("inputs", {"q": 1}, {"q": 2}),
            ("cluster", "a", "b"),
            ("slices", {"s": "a"}, {"s": "b"}),
        ],
    )
    def test_two_that_differ_are_refused_with_both_lines(
        self, write: Write, field: str, one: object, other: object
    ) -> None:
        path = write(row(model="none"), row(**{field: one}), row(model="new", **{field: other}))

        with pytest.raises(DatasetError) as caught:
            load_recordings(path)

        assert (caught.value.line, caught.value.field) == (3, field)
        assert "differs from line 2, which is the same case '1'" in str(caught.value)

    def test_prompts_may_differ_and_the_report_is_told(self, write: Write) -> None:
        recordings = load_recordings(write(row(prompt="a"), row(model="new", prompt="b"), row(2, prompt="c")))

        assert recordings.dataset.examples[0].inputs == {"prompt": "a"}
        assert recordings.warnings == ("1 of 2 cases were asked with different prompts; the reports show the first.",)

    def test_metadata_that_differs_is_left_out_and_the_report_is_told(self, write: Write) -> None:
        recordings = load_recordings(
            write(row(metadata={"k": 1, "same": 2}), row(model="new", metadata={"k": 2, "same": 2}))
        )

        assert self.example(recordings).metadata == {"same": 2}
        assert "metadata.k differs" in recordings.warnings[0]

    def test_cluster_and_slices_may_be_named_from_outside(self, write: Write) -> None:
        path = write(row(task="t", metadata={"doc": "d"}))

        example = self.example(load_recordings(path, cluster="doc", slices=["task"]))

        assert (example.cluster, example.slices) == ("d", {"task": "t"})
        with pytest.raises(UnknownNameError, match="did you mean 'task'"):
            load_recordings(path, slices=["tasks"])


class TestWrongRows:
    @pytest.mark.parametrize(
        ("line", "field", "problem"),
        [
            ({"case_id": "1", "modell": "a", "output": ""}, "modell", "did you mean 'model'?"),
            ({"case_id": "1", "output": ""}, "model", "is missing, and every row needs it"),
            ({"model": "a", "output": ""}, "case_id", "is missing, and every row needs it"),
            (row(""), "case_id", "is empty"),
            (row(model=""), "model", "is empty"),
            (row(output=None), "output", "is missing, and so is 'error'"),
            (row(output={"a": 1}), "output", "must be text, and is an object"),
            (row(latency=1.0), "latency", "did you mean 'latency_s'?"),
            (row(latency_s=-1), "latency_s", "must be a number from 0 up"),
            (row(latency_s="fast"), "latency_s", "must be a number, and is text"),
            (row(tokens_out=-5), "tokens_out", "must be a number from 0 up"),
            (row(tokens_out=1.5), "tokens_out", "must be a whole number"),
            (row(cost_usd="NaN"), "cost_usd", "is NaN"),
            (row(cost_usd=-0.1), "cost_usd", "is -0.1"),
            (row(recorded_at="yesterday"), "recorded_at", "such as 2024-05-01T10:00:00Z"),
            ('{"case_id": "1", "model": "a", "output": NaN}', None, "has the value NaN"),
            ("not json", None, "is no JSON"),
        ],
    )
    def test_are_named_by_line_and_field(
        self, write: Write, line: dict[str, object] | str, field: str | None, problem: str
    ) -> None:
        path = write(row("0"), line)

        with pytest.raises(DatasetError) as caught:
            load_recordings(path)

        assert (caught.value.path, caught.value.line, caught.value.field) == (path, 2, field)
        assert problem in str(caught.value)
        assert caught.value.exit_code == 2

    def test_a_file_that_cannot_be_used_is_refused(self, write: Write, tmp_path: Path) -> None:
        with pytest.raises(FileError, match="no such file; did you mean"):
            load_recordings(write(row()).with_name("answer.jsonl"))
        with pytest.raises(FileError, match="is empty"):
            load_recordings(write(""))
        (tmp_path / "a.csv").write_text("case_id,model,output\n1,a,b\n")
        with pytest.raises(FileError, match="recordings are read from JSONL"):
            load_recordings(tmp_path / "a.csv")


class TestScores:
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), 2.0])
    def test_that_are_none_are_refused_with_the_example(self, write: Write, value: float) -> None:
        with pytest.raises(ScorerError) as caught:
            load_recordings(write(row("case-9"))).run("old", [Spy(value)])

        assert (caught.value.scorer, caught.value.example_id) == ("spy", "case-9")

    def test_that_need_a_reference_say_which_example_lacks_it(self, write: Write) -> None:
        with pytest.raises(MissingReferenceError) as caught:
            load_recordings(write(row(reference="yes"), row("2"))).run("old", [Equal()])

        assert (caught.value.scorer, caught.value.example_id) == ("equal", "2")


class TestIdentity:
    def test_is_the_same_for_the_same_answers_and_another_for_others(self, write: Write) -> None:
        one = load_recordings(write(row(1), row(2))).run("old", [Spy()])
        moved = load_recordings(write(row(2), row(1))).run("old", [Spy()])
        other = load_recordings(write(row(1), row(2, output="no"))).run("old", [Spy()])
        unscored = load_recordings(write(row(1), row(2))).run("old", [])

        assert (one.id, one.variant.hash) == (moved.id, moved.variant.hash)
        assert one.variant.hash != other.variant.hash
        assert one.id != other.id
        assert one.id != unscored.id
        assert one.variant.hash == unscored.variant.hash


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cost=st.decimals(min_value=0, max_value=1000, places=12), as_text=st.booleans())
def test_costs_are_kept_to_the_last_digit(tmp_path: Path, cost: Decimal, as_text: bool) -> None:
    path = tmp_path / "answers.jsonl"
    number = f'"{cost}"' if as_text else str(cost)
    path.write_text(f'{{"case_id": "1", "model": "m", "output": "", "cost_usd": {number}}}')

    (trial,) = load_recordings(path).run("m", []).trials

    assert trial.response.cost_usd == cost
