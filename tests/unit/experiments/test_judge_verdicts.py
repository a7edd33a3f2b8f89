"""Judges, with fake providers: what is asked, what is paid, what becomes of it in a verdict."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

import boxscore
from boxscore import Example, Judge, Response
from boxscore.costs import fixed_row
from boxscore.datasets import from_rows
from boxscore.errors import (
    MissingReferenceError,
    NothingAnsweredError,
    ProviderError,
    SpecError,
    SpendCapError,
    TemplateError,
)
from boxscore.experiments.baseline import Standing
from boxscore.experiments.callables import CallableVariant
from boxscore.experiments.judges.judge_spec import judge_from_spec
from boxscore.experiments.live import compare_variants
from boxscore.experiments.recall import recall
from boxscore.experiments.rule import make_rule
from boxscore.experiments.spec import load_spec
from boxscore.experiments.trial import Run, VariantInfo
from boxscore.experiments.variants import PromptVariant
from boxscore.providers.request import Message
from boxscore.store.records import Records
from boxscore.testing import FakeProvider, Fault

ROWS = [{"id": f"e{n}", "inputs": {"n": n}, "reference": "fine"} for n in range(40)]


def fine(n: int) -> str:
    return f"fine {n}"


def mixed(n: int) -> str:
    return f"fine {n}" if n % 2 else f"poor {n}"


def broken(n: int) -> str:
    if n % 2:
        raise ValueError("odd")
    return f"fine {n}"


def poor(n: int) -> str:
    return f"poor {n}"


APPS = {"mixed": mixed, "fine": fine, "poor": poor}


class Scripted:
    """Judges by what stands in the answers, and counts what it is asked."""

    def __init__(self):
        self.asked: list[dict[str, object]] = []

    def says_fine(self, answer, inputs):
        self.asked.append({"answer": answer, "inputs": inputs})
        return json.dumps({"reason": f"it is {answer.split()[0]}", "verdict": "yes" if "fine" in answer else "no"})

    def prefers_fine(self, first, second):
        self.asked.append({"first": first, "second": second})
        goodness = {"fine": 2, "poor": 1}
        one, two = (goodness[text.split()[0]] for text in (first, second))
        return json.dumps({"reason": "", "verdict": "tie" if one == two else "first" if one > two else "second"})


def compare(home: Path, *judges: Judge, baseline=mixed, candidate=fine, **more):
    return boxscore.compare(dataset=ROWS, baseline=baseline, candidate=candidate, judges=judges, home=home, **more)


def prompted(script, **more):
    """A judge that asks a fake model."""
    provider = FakeProvider(script, usage={"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110})
    prompt = [Message(role="system", content="{{ system }}"), Message(role="user", content="{{ prompt }}")]
    by = PromptVariant(
        name="asked",
        prompt=prompt,
        provider=provider,
        model="m",
        prices=fixed_row(1, name="m"),
    )
    return Judge("helpful", "Does it help?", by=by, **more), provider


def ask(judge, answer="fine", repeat=0):
    example = Example(id="x", inputs={"inputs": {"n": 1}, "answer": answer})
    return asyncio.run(judge.variant().answer(example, repeat=repeat))


YES, NO = '{"reason": "so", "verdict": "yes"}', '{"reason": "so", "verdict": "no"}'
PER_CALL = Decimal("0.000110")


class TestAsking:
    def test_one_call_where_the_reply_is_read(self):
        judge, provider = prompted(YES)

        response = ask(judge, "It is 42.")

        assert response.output == YES
        assert response.cost_usd == PER_CALL
        (request,) = provider.requests
        assert request.messages[0].role == "system"
        assert "It is 42." in request.messages[1].content

    def test_a_reply_that_cannot_be_read_is_shown_and_asked_for_again(self):
        judge, provider = prompted(["I think so.", YES])

        response = ask(judge)

        assert response.output == YES
        assert response.cost_usd == 2 * PER_CALL
        assert response.usage is not None
        assert response.usage.input_tokens == 200
        assert "I think so." in provider.requests[1].messages[1].content
        assert "no JSON object" in provider.requests[1].messages[1].content

    def test_what_cannot_be_read_after_all_is_an_error_that_was_paid_for(self):
        judge, provider = prompted("No idea.")

        response = ask(judge)

        assert len(provider.requests) == 3
        assert response.error is not None
        assert response.error.kind == "bad_answer"
        assert response.cost_usd == 3 * PER_CALL

    def test_the_first_call_that_fails_is_the_runners_affair(self):
        judge, _ = prompted(Fault("rate_limit"))

        with pytest.raises(ProviderError):
            ask(judge)

    def test_a_repair_that_fails_keeps_what_the_first_call_cost(self):
        judge, _ = prompted(["Hm.", Fault("server", "gone")])

        response = ask(judge)

        assert response.error is not None
        assert (response.error.kind, response.cost_usd) == ("server", PER_CALL)

    def test_costs_are_not_known_when_one_call_has_none(self):
        replies = iter([Response(output="Hm.", cost_usd=Decimal(1)), Response(output=YES)])
        judge = Judge("helpful", "Does it help?", by=lambda prompt: next(replies))

        assert ask(judge).cost_usd is None


class TestOwnPrompt:
    def asked(self, tmp_path, mapping, answer="fine"):
        """The messages that a judge of this mapping sends."""
        judge = judge_from_spec("helpful", {"provider": "vllm", "model": "m", **mapping}, tmp_path)
        provider = FakeProvider(YES)
        judge.asker._provider = provider
        inputs = {"inputs": {"ticket": "Where?"}, "reference": "Oslo", "answer": answer}
        asyncio.run(judge.variant().answer(Example(id="x", inputs=inputs), repeat=0))
        return [message.content for message in provider.requests[0].messages], provider.requests[0]

    def test_it_may_name_inputs_answer_and_reference_and_gets_the_form_of_the_reply(self, tmp_path):
        prompt = "{{ inputs.ticket }} | {{ answer }} | {{ reference }}"

        (text,), request = self.asked(tmp_path, {"prompt": prompt}, answer="{{ not a template }}")

        assert text.startswith("Where? | {{ not a template }} | Oslo\n\nReply with one JSON object")
        assert request.output_schema["required"] == ["reason", "verdict"]

    def test_the_form_of_the_reply_stands_where_the_prompt_has_it(self, tmp_path):
        messages = [
            {"role": "system", "content": "{{ reply_form }}"},
            {"role": "user", "content": "{{ question }} {{ answer }}"},
        ]

        (system, user), _ = self.asked(tmp_path, {"messages": messages, "question": "Good?"})

        assert system.startswith("Reply with one JSON object")
        assert user == "Good? fine"

    def test_it_may_stand_in_a_file(self, tmp_path):
        (tmp_path / "judge.txt").write_text("Is {{ answer }} good?")

        (text,), _ = self.asked(tmp_path, {"prompt_file": "judge.txt"})

        assert text.startswith("Is fine good?")

    def test_a_server_that_takes_no_schema_gets_none(self, tmp_path):
        _, request = self.asked(tmp_path, {"question": "Good?", "structured": False})

        assert request.output_schema is None

    def test_a_prompt_that_does_not_parse_is_named(self, tmp_path):
        with pytest.raises(TemplateError, match=r"judges\.helpful\.prompt"):
            self.asked(tmp_path, {"prompt": "{{ answer"})

    def test_a_reference_cannot_be_hidden_from_a_prompt_that_writes_it_out(self, tmp_path):
        with pytest.raises(SpecError, match="writes out the reference"):
            self.asked(tmp_path, {"prompt": "{{ answer }} {{ reference }}", "reference": False})


class TestIdentity:
    def hash_of(self, *, form=None, **by):
        mapping = {"provider": "vllm", "model": "m", "question": "Does it help?", **(form or {}), **by}
        return judge_from_spec("j", mapping, Path()).variant().info.hash

    @pytest.mark.parametrize(
        "change",
        [
            {"model": "other"},
            {"params": {"temperature": 0}},
            {"base_url": "http://127.0.0.1:9/v1"},
            {"form": {"question": "Is it right?"}},
            {"form": {"kind": "ordinal", "scale": [1, 5]}},
            {"messages": [{"role": "user", "content": "{{ prompt }}"}]},
            {"structured": False},
        ],
    )
    def test_it_is_prompt_model_and_params(self, change):
        assert self.hash_of(**change) != self.hash_of()

    def test_it_is_neither_name_nor_direction_nor_weight(self):
        def rubric(name, weight, **more):
            criteria = {"a": {"question": "?", "weight": weight}}
            mapping = {"provider": "vllm", "model": "m", "kind": "rubric", "criteria": criteria, **more}
            return judge_from_spec(name, mapping, Path()).variant().info.hash

        assert rubric("one", 1) == rubric("two", 2, better="lower")


class TestVerdict:
    def test_an_uncalibrated_judge_does_not_ship_alone(self, tmp_path):
        verdict = compare(tmp_path, Judge("helpful", "?", by=Scripted().says_fine)).verdict

        assert verdict.verdict == "undecided"
        assert "waive: [helpful]" in verdict.reason
        assert verdict.candidate.metrics["helpful"].calibration == "uncalibrated"
        assert verdict.comparisons[0].calibration == "uncalibrated"
        assert verdict.comparisons[0].difference == 0.5
        assert [(check.role, check.outcome) for check in verdict.checks] == [
            ("primary", "ship"),
            ("calibration", "undecided"),
        ]
        assert any("uncalibrated judge" in warning for warning in verdict.warnings)

    def test_where_more_is_open_it_says_what_else_is_needed(self, tmp_path):
        judge = Judge("helpful", "?", by=Scripted().says_fine)

        needs = compare(tmp_path, judge, baseline=lambda n: f"fine {n}!" if n else "poor").verdict.needs

        assert needs is not None
        assert needs.examples is not None
        assert "waive: [helpful]" in needs.note

    def test_waived_by_name_it_ships_and_says_so(self, tmp_path):
        judge = Judge("helpful", "?", by=Scripted().says_fine)

        verdict = compare(tmp_path, judge, waive=["helpful"]).verdict

        assert verdict.verdict == "ship"
        assert "50.0 points more right on helpful (uncalibrated)" in verdict.reason
        assert verdict.id != compare(tmp_path, judge).verdict.id
        assert verdict.rule.waive == ("helpful",)
        assert verdict.judges[0].waived
        assert any("The rule waives helpful" in warning for warning in verdict.warnings)

    def test_what_it_rejects_is_rejected(self, tmp_path):
        judge = Judge("helpful", "?", by=Scripted().says_fine)

        assert compare(tmp_path, judge, baseline=fine, candidate=mixed).verdict.verdict == "reject"

    def test_beside_a_scorer_that_decides_it_only_tells(self, tmp_path):
        judge = Judge("helpful", "?", by=Scripted().says_fine)

        verdict = compare(tmp_path, judge, scorers=["contains"]).verdict

        assert (verdict.rule.metric, verdict.verdict) == ("contains", "ship")
        assert verdict.comparisons[0].calibration is None

    def test_as_a_guard_it_holds_back(self, tmp_path):
        judge = Judge("helpful", "?", by=Scripted().says_fine)
        guards = [{"metric": "helpful", "margin": 0.1}]

        assert compare(tmp_path, judge, scorers=["contains"], guards=guards).verdict.verdict == "undecided"

    def test_a_waiver_that_names_no_judge_is_refused(self, tmp_path):
        with pytest.raises(SpecError, match="the judges are helpful") as caught:
            compare(tmp_path, Judge("helpful", "?", by=Scripted().says_fine), waive=["helpfull"])

        assert caught.value.key == "rule.waive"

    def test_a_judge_called_like_a_scorer_is_refused(self, tmp_path):
        with pytest.raises(SpecError, match="name of another metric"):
            compare(tmp_path, Judge("contains", "?", by=Scripted().says_fine), scorers=["contains"])

    def test_less_may_be_better(self, tmp_path):
        judge = Judge("fine", "Is it only fine?", by=Scripted().says_fine, better="lower")

        assert compare(tmp_path, judge).verdict.verdict == "reject"


class TestQuestions:
    def test_equal_answers_are_judged_once(self, tmp_path):
        script = Scripted()

        verdict = compare(tmp_path, Judge("helpful", "?", by=script.says_fine)).verdict

        assert len(script.asked) == 40 + 20  # every second answer of both is the same
        assert verdict.judges[0].verdicts == 60
        assert verdict.comparisons[0].ties == 20

    def test_verdicts_are_kept_and_not_asked_for_twice(self, tmp_path):
        script = Scripted()
        judge = Judge("helpful", "?", by=script.says_fine)
        first = compare(tmp_path, judge).verdict

        again = compare(tmp_path, judge).verdict

        assert len(script.asked) == 60
        assert again.judges[0].reused == 60
        assert again.comparisons[0].difference == first.comparisons[0].difference

    def test_both_orders_are_asked_of_answers_that_differ(self, tmp_path):
        script = Scripted()

        verdict = compare(tmp_path, Judge("preferred", kind="pairwise", by=script.prefers_fine)).verdict

        pairs = {(asked["first"], asked["second"]) for asked in script.asked}
        assert len(script.asked) == len(pairs) == 2 * 20
        assert all((second, first) in pairs for first, second in pairs)
        # 20 wins and 20 equal answers, which are ties: the net win rate is a half.
        assert verdict.comparisons[0].difference == 0.5
        assert verdict.candidate.metrics["preferred"].value == 0.75
        assert verdict.baseline.metrics["preferred"].value == 0.25
        assert (verdict.judges[0].pairs, verdict.judges[0].disagreed) == (20, 0)

    def test_why_a_preference_is_what_it_is_stands_beside_both_answers(self, tmp_path):
        def vote(first):
            return json.dumps({"reason": f"{first[:4]} first.", "verdict": "first"})

        pairs = compare(tmp_path, Judge("preferred", kind="pairwise", by=vote)).evidence.pairs

        asked = next(pair for pair in pairs if pair.candidate.output != pair.baseline.output)
        assert asked.candidate.label == "orders disagree"
        assert (
            asked.candidate.note == asked.baseline.note == "Candidate first: fine first. Candidate second: poor first."
        )

    def test_a_judge_that_takes_the_first_prefers_nobody(self, tmp_path):
        verdict = compare(tmp_path, Judge("preferred", kind="pairwise", by=lambda first: "first")).verdict

        judge = verdict.judges[0]
        assert verdict.comparisons[0].difference == 0
        assert (judge.disagreed, judge.first_favoured, judge.second_favoured) == (20, 20, 0)
        assert any("20 of 20 pairs (100 %), 20 times for the answer shown first" in note for note in verdict.notes)

    def test_an_answer_that_is_not_there_has_lost(self, tmp_path):
        script = Scripted()

        comparison = compare(
            tmp_path,
            Judge("preferred", kind="pairwise", by=script.prefers_fine),
            Judge("helpful", "?", by=script.says_fine),
            baseline=broken,
            candidate=fine,
        )

        preferred, helpful, *_ = comparison.verdict.comparisons
        # 20 wins, and 20 equal answers.
        assert comparison.verdict.candidate.metrics["preferred"].value == 0.75
        assert comparison.verdict.baseline.metrics["preferred"].value == 0.25
        assert (preferred.metric, preferred.wins, preferred.ties, preferred.losses) == ("preferred", 20, 20, 0)
        assert (helpful.metric, helpful.difference) == ("helpful", 0.5)

    def test_what_has_no_answer_loses_to_what_has(self, tmp_path):
        judge = Judge("preferred", kind="pairwise", by=Scripted().prefers_fine)

        verdict = compare(tmp_path, judge, baseline=fine, candidate=broken).verdict

        assert verdict.verdict == "reject"
        assert verdict.candidate.metrics["preferred"].value == 0.25
        assert verdict.baseline.metrics["preferred"].value == 0.75

    def test_several_verdicts_are_averaged(self, tmp_path):
        votes = iter(["yes", "no", "yes", "yes"] * 100)
        judge = Judge("helpful", "?", by=lambda prompt: next(votes), repeats=4)

        verdict = compare(tmp_path, judge, candidate=mixed).verdict

        assert verdict.candidate.metrics["helpful"].value == 0.75
        assert verdict.judges[0].verdicts == 160

    def test_a_reference_is_shown_unless_it_is_hidden(self, tmp_path):
        seen = []

        def look(prompt, reference="none"):
            seen.append(reference)
            return YES

        compare(tmp_path / "a", Judge("helpful", "?", by=look))
        compare(tmp_path / "b", Judge("helpful", "?", by=look, reference=False))

        assert set(seen[:60]) == {"fine"}
        assert set(seen[60:]) == {"none"}

    def test_a_reference_that_is_needed_is_looked_for_before_anything_is_asked(self, tmp_path):
        asked = []
        judge = judge_from_spec(
            "right",
            {"provider": "vllm", "model": "m", "prompt": "Is {{ answer }} as right as {{ reference }}?"},
            tmp_path,
        )

        with pytest.raises(MissingReferenceError, match="judge right"):
            boxscore.compare(
                dataset=[{"inputs": {"n": 1}}], baseline=asked.append, candidate=fine, judges=[judge], home=tmp_path
            )

        assert asked == []

    def test_a_prompt_that_names_what_is_not_there_is_refused_before_anything_is_asked(self, tmp_path):
        mapping = {"provider": "vllm", "model": "m", "prompt": "{{ inputs.ticket }}: {{ answer }}"}

        with pytest.raises(TemplateError, match="ticket"):
            compare(tmp_path, judge_from_spec("right", mapping, tmp_path))


class TestErrors:
    def judged(self, tmp_path, kind="binary"):
        """A judge that says nothing on four of the candidate's answers."""

        def say(prompt):
            return "Hm." if any(f"fine {n}\n" in prompt for n in (0, 2, 4, 6)) else {"output": YES}

        def tie(prompt):
            return "Hm." if "fine 2\n" in prompt else "tie"

        by = say if kind == "binary" else tie
        return compare(tmp_path, Judge("helpful", "Good?", kind=kind, by=by)).verdict

    def test_no_verdict_is_a_failure_and_is_told(self, tmp_path):
        verdict = self.judged(tmp_path)

        assert verdict.candidate.metrics["helpful"].value == 36 / 40
        assert verdict.candidate.errors == 0
        assert verdict.judges[0].errors == 4
        assert any("no verdict on 4 of 60 questions" in warning for warning in verdict.warnings)
        assert "the judge did not judge" in (verdict.sensitivity or "")
        assert "n = 36" in (verdict.sensitivity or "")

    def test_a_judge_without_any_verdict_is_no_judge(self, tmp_path):
        def down(answer):
            raise ProviderError("auth", "no such key")

        with pytest.raises(NothingAnsweredError, match="'judge helpful' got no answer in 60 trials: no such key"):
            compare(tmp_path, Judge("helpful", "?", by=down))

    def test_a_judge_that_is_mostly_down_ships_nothing(self, tmp_path):
        def down(answer):
            if answer.endswith(" 7"):
                return "yes"
            raise ProviderError("quota", "no money")

        def app(usd):
            return lambda n: {"output": f"{usd} {n}", "cost_usd": usd}

        verdict = compare(
            tmp_path,
            Judge("helpful", "?", by=down),
            baseline=app(0.02),
            candidate=app(0.01),
            rule="noninferiority",
            margin=0.2,
            waive=["helpful"],
        ).verdict

        assert verdict.comparisons[0].difference == 0
        assert verdict.verdict == "undecided"
        assert [check.role for check in verdict.checks if check.outcome != "ship"] == ["judged"]
        assert "run it again to ask for those verdicts" in verdict.reason
        assert any("no verdict on 78 of 80 questions (78 quota)" in warning for warning in verdict.warnings)

    def test_what_stands_without_the_missing_verdicts_stands(self, tmp_path):
        def say(answer):
            return "Hm." if answer == "fine 2" else "yes" if "fine" in answer else "no"

        judge = Judge("helpful", "Good?", by=say)

        assert compare(tmp_path, judge, waive=["helpful"]).verdict.verdict == "ship"

    def test_no_preference_is_a_tie_and_is_told(self, tmp_path):
        verdict = self.judged(tmp_path, kind="pairwise")

        assert verdict.candidate.metrics["helpful"].value == 0.5
        assert verdict.judges[0].errors == 2
        assert any("they count as ties" in warning for warning in verdict.warnings)

    def test_one_order_alone_is_no_preference(self, tmp_path):
        def only_ahead(first):
            return "first" if "fine" in first else "Hm."

        verdict = compare(tmp_path, Judge("preferred", kind="pairwise", by=only_ahead)).verdict

        assert verdict.comparisons[0].difference == 0
        assert (verdict.judges[0].verdicts, verdict.judges[0].errors, verdict.judges[0].pairs) == (20, 20, 0)

    def test_only_what_failed_is_asked_again(self, tmp_path):
        calls = []

        def first_fails(answer):
            calls.append(answer)
            if len(calls) == 1:
                raise RuntimeError("down")
            return YES

        judge = Judge("helpful", "?", by=first_fails)
        first = compare(tmp_path, judge).verdict
        again = compare(tmp_path, judge).verdict

        assert (first.judges[0].errors, again.judges[0].errors) == (1, 0)
        assert len(calls) == 61

    def test_with_retry_errors_verdicts_on_the_other_answers_stay(self, tmp_path):
        script, down = Scripted(), [True]

        def flaky(n):
            if n == 3 and down[0]:
                raise ConnectionError("down")
            return f"fine {n}"

        judge = Judge("helpful", "?", by=script.says_fine)
        candidate = CallableVariant(flaky, name="candidate", identity="flaky")
        compare(tmp_path, judge, candidate=candidate, fresh=True)
        asked, down[0] = len(script.asked), False

        verdict = compare(tmp_path, judge, candidate=candidate, fresh=True, retry_errors=True).verdict

        assert (asked, len(script.asked)) == (60, 60)  # what was missing is an answer that the baseline gave too
        assert (verdict.candidate.errors, verdict.candidate.metrics["helpful"].value) == (0, 1)


class TestMoney:
    def paid(self, usd):
        return lambda answer: {"output": YES, "cost_usd": usd}

    def app(self, n):
        return {"output": f"fine {n}", "cost_usd": 0.01}

    def test_judging_is_no_cost_of_a_variant(self, tmp_path):
        judge = Judge("helpful", "?", by=self.paid(5))

        verdict = compare(tmp_path, judge, baseline=self.app, candidate=lambda n: self.app(-n)).verdict

        assert verdict.candidate.cost_per_1k_usd == pytest.approx(10)
        assert verdict.provenance is not None
        assert verdict.provenance.spent_usd == pytest.approx(0.8)
        assert verdict.provenance.judge_spent_usd == 5 * 79  # n = 0 has the same answer twice

    def test_what_judging_cost_is_not_told_where_it_is_not_known(self, tmp_path):
        found = compare(tmp_path, Judge("helpful", "?", by=lambda answer: YES), candidate=lambda n: f"fine {n}")

        assert found.verdict.provenance is not None
        assert found.verdict.provenance.judge_spent_usd is None
        assert "Judging $" not in str(found)

    def test_one_cap_holds_for_answers_and_verdicts(self, tmp_path):
        asked = []

        def judge(answer):
            asked.append(answer)
            return {"output": YES, "cost_usd": 0.1}

        with pytest.raises(SpendCapError):
            compare(
                tmp_path,
                Judge("helpful", "?", by=judge),
                baseline=self.app,
                candidate=self.app,
                spend_cap_usd=1.0,
                concurrency=1,
            )

        assert len(asked) == 2  # 80 answers at a cent leave 20 cents

    def test_what_judging_will_cost_is_said_before_it_begins(self, tmp_path):
        judge, _ = prompted(YES)
        states = []

        compare(tmp_path, judge, progress=lambda name, state: states.append((name, state)))

        first = next(state for name, state in states if name == "judge helpful")
        assert first.forecast.calls == 60
        assert Decimal("0.01") < first.forecast.usd < Decimal("0.1")

    def test_early_stops_judge_no_answer_twice(self, tmp_path):
        script = Scripted()

        verdict = compare(
            tmp_path,
            Judge("helpful", "?", by=script.says_fine),
            baseline=lambda n: f"poor {n}",
            stop_early=True,
            waive=["helpful"],
        ).verdict

        assert verdict.verdict == "ship"
        assert len(script.asked) == 2 * verdict.dataset.examples


def test_a_kept_verdict_is_shown_with_what_the_judges_said(tmp_path):
    script = Scripted()
    judges = (Judge("preferred", kind="pairwise", by=script.prefers_fine), Judge("helpful", "?", by=script.says_fine))
    for judge in judges:
        comparison = compare(tmp_path, judge, waive=[judge.name])

        with Records.open(tmp_path) as records:
            again = recall(records, comparison.verdict.id)

        assert again.verdict == comparison.verdict
        assert again.evidence.pairs == comparison.evidence.pairs
        best = next(pair for pair in again.evidence.pairs if pair.outcome == "better")
        assert best.candidate.label in ("preferred", "yes")


def test_a_judge_of_the_candidates_family_is_told(tmp_path):
    def variant(model, answer):
        return PromptVariant(name=model, prompt="{{ n }}", provider=FakeProvider(answer), model=model)

    by = PromptVariant(name="j", prompt="{{ prompt }}", provider=FakeProvider(YES), model="gpt-4o-mini")

    verdict = compare(
        tmp_path,
        Judge("helpful", "?", by=by),
        baseline=variant("claude-sonnet-4-5", "a"),
        candidate=variant("gpt-4.1", "b"),
    ).verdict

    assert any("helpful (gpt-4o-mini) and the candidate are of one family" in warning for warning in verdict.warnings)


def test_a_taste_for_length_is_told(tmp_path):
    def longest(first, second):
        return "first" if len(first) > len(second) else "second"

    verdict = compare(
        tmp_path,
        Judge("preferred", kind="pairwise", by=longest),
        baseline=lambda n: "x" * (n % 7 + 3),
        candidate=lambda n: "y" * (n % 5 + 4),
    ).verdict

    length = verdict.judges[0].length_correlation
    assert length is not None
    assert length > 0.6
    assert any("goes with length: longer answers score higher" in note for note in verdict.notes)


class TestSpec:
    TEXT = """\
dataset: rows.jsonl
variants:
  old: {python: "app.py:mixed"}
  new: {python: "app.py:fine"}
judges:
  helpful: {question: "Does it help?", python: "app.py:judge"}
  preferred: {kind: pairwise, python: "app.py:prefer"}
metric: helpful
rule: {waive: helpful}
"""
    APP = """
def fine(n): return f"fine {n}"
def mixed(n): return f"fine {n}" if n % 2 else f"poor {n}"
def judge(answer): return "yes" if "fine" in answer else "no"
def prefer(first, second): return "first" if first < second else "second"
"""

    def write(self, folder: Path, text: str = TEXT) -> Path:
        (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
        (folder / "app.py").write_text(self.APP)
        (folder / "boxscore.yaml").write_text(text)
        return folder / "boxscore.yaml"

    def test_a_spec_names_its_judges(self, tmp_path):
        verdict = boxscore.compare(self.write(tmp_path), home=tmp_path / "home").verdict

        assert verdict.verdict == "ship"
        assert [comparison.metric for comparison in verdict.comparisons] == ["helpful", "preferred"]
        assert [judge.name for judge in verdict.judges] == ["helpful", "preferred"]

    @pytest.mark.parametrize(
        ("was", "now", "key", "why"),
        [
            ("kind: pairwise", "kind: pair", "judges.preferred.kind", "binary, ordinal"),
            ("question:", "qestion:", "judges.helpful.qestion", "did you mean 'question'"),
            ("waive: helpful", "waive: [preffered]", "rule.waive", "the judges are helpful, preferred"),
            ("judges:\n", "judges:\n  a.b: {question: '?'}\n", "judges", "no point"),
            ("kind: pairwise", "kind: pairwise, repeats: 0", "judges.preferred.repeats", "1 or more"),
            ("kind: pairwise", "kind: pairwise, api_key: x", "judges.preferred.api_key", "no such key"),
        ],
    )
    def test_what_is_wrong_is_named_by_key(self, tmp_path, was, now, key, why):
        path = self.write(tmp_path, self.TEXT.replace(was, now))

        with pytest.raises(SpecError, match=why) as caught:
            boxscore.compare(path, home=tmp_path / "home")

        assert caught.value.key == key

    def test_a_spec_needs_scorers_or_judges(self, tmp_path):
        text = self.TEXT.replace("judges:", "also:")

        with pytest.raises(SpecError):
            load_spec(self.write(tmp_path, text))


class TestSeveral:
    def runs(self, tmp_path, judges, **more):
        variants = {name: CallableVariant(by, name=name) for name, by in APPS.items()}
        metrics = [metric for judge in judges for metric in judge.metrics]
        return compare_variants(
            variants,
            from_rows(ROWS),
            (),
            make_rule(metrics, waive=[judge.name for judge in judges]),
            baseline="mixed",
            judges=judges,
            home=tmp_path,
            **more,
        )

    def test_every_candidate_is_held_against_the_baseline(self, tmp_path):
        script = Scripted()
        judge = Judge("preferred", kind="pairwise", by=script.prefers_fine)

        better, worse = self.runs(tmp_path, [judge], candidates=["fine", "poor"])

        assert (better.verdict.verdict, better.verdict.comparisons[0].difference) == ("ship", 0.5)
        assert (worse.verdict.verdict, worse.verdict.comparisons[0].difference) == ("reject", -0.5)
        assert better.verdict.baseline.metrics["preferred"].value == 0.25
        assert worse.verdict.baseline.metrics["preferred"].value == 0.75

    def test_what_is_run_beside_them_is_judged_alone_and_not_in_pairs(self, tmp_path):
        script = Scripted()
        judges = [
            Judge("helpful", "?", by=script.says_fine),
            Judge("preferred", kind="pairwise", by=script.prefers_fine),
        ]

        (comparison,) = self.runs(tmp_path, judges, candidates=["fine"], also=["poor"])

        (beside,) = comparison.verdict.also_run
        assert beside.metrics["helpful"].value == 0
        assert "preferred" not in beside.metrics

    def test_a_baseline_file_has_no_answers_to_judge(self, tmp_path):
        run = Run(
            id="b",
            variant=VariantInfo(name="b", hash="h"),
            dataset_name="d",
            dataset_version="1",
            examples=from_rows(ROWS).examples,
            metrics=(),
            trials=(),
        )
        standing = Standing(run, from_rows(ROWS), len(ROWS), ())

        with pytest.raises(SpecError, match="no answers"):
            self.runs(
                tmp_path, [Judge("helpful", "?", by=lambda answer: "yes")], candidates=["fine"], standing=standing
            )

    def test_recordings_are_not_judged(self, tmp_path):
        with pytest.raises(SpecError, match="live answers"):
            boxscore.compare(
                recordings=tmp_path / "r.jsonl",
                baseline="a",
                candidate="b",
                judges=[Judge("helpful", "?", by=lambda answer: "yes")],
            )
