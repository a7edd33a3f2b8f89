"""Tool calls and countable instructions."""

import pytest

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError, UnknownNameError
from boxscore.providers.response import Response, ToolCall
from boxscore.scoring import Score, make_scorer
from boxscore.scoring.instruction_rules import RULES
from boxscore.scoring.instructions import Instructions
from boxscore.types import Json

WEATHER = {"weather": {"city": ["Bern", "Berne"], "days": [3], "unit": ["C", ""]}}
PLAIN = {"name": "weather", "arguments": {"city": "Bern", "days": 3}}


def call(name: str, **arguments: Json) -> ToolCall:
    return ToolCall(name=name, arguments=arguments)


def scored(reference: Json, *calls: ToolCall, spec: str = "tool_calls", output: str = "") -> Score:
    return make_scorer(spec).score(Example(id="e", reference=reference), Response(tool_calls=calls, output=output))


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (call("weather", city="Bern", days=3), None),
        (call("weather", city="Berne", days=3.0, unit="C"), None),
        (call("forecast", city="Bern", days=3), "'forecast' instead of 'weather'"),
        (call("weather", days=3), "argument 'city' is missing"),
        (call("weather", city="Basel", days=3), "argument 'city' is \"Basel\""),
        (call("weather", city="Bern", days="3"), "argument 'days' is \"3\""),
        (call("weather", city="Bern", days=True), "argument 'days' is true"),
        (call("weather", city="Bern", days=3, hours=1), "argument 'hours' is not expected"),
        (ToolCall(name="weather", arguments="Bern"), "the arguments are no JSON object"),
    ],
)
def test_a_call_with_accepted_values(given: ToolCall, note: str | None) -> None:
    score = scored([WEATHER], given)

    assert score.value == (1.0 if note is None else 0.0)
    assert (score.note or "").startswith(note or "")


def test_the_plain_form_takes_objects_as_they_are() -> None:
    reference = [{"name": "f", "arguments": {"filter": {"tags": ["a", "b"]}}}]

    assert scored(reference, call("f", filter={"tags": ["a", "b"]})).value == 1
    assert scored(reference, call("f", filter={"tags": "a"})).value == 0
    assert scored(reference, call("f", filter={})).value == 0


def test_the_accepted_form_looks_into_objects_and_lists_of_objects() -> None:
    reference = [{"f": {"people": [[{"name": ["Li"], "age": [18, ""]}]]}}]

    assert scored(reference, call("f", people=[{"name": "Li"}])).value == 1
    assert scored(reference, call("f", people=[{"name": "Li", "age": 18}])).value == 1
    assert scored(reference, call("f", people=[{"age": 18}])).value == 0
    assert scored(reference, call("f", people=[{"name": "Li", "sex": "f"}])).value == 0


def test_order_counts_unless_it_does_not() -> None:
    reference = [{"a": {"x": [1]}}, {"a": {"x": [1, 2]}}, {"b": {}}]
    shuffled = (call("b"), call("a", x=2), call("a", x=1))

    assert scored(reference, call("a", x=1), call("a", x=2), call("b")).value == 1
    assert scored(reference, *shuffled).value == 0
    assert scored(reference, *shuffled, spec="tool_calls:order=any").value == 1
    assert scored(reference, call("b"), call("a", x=2), call("a", x=2), spec="tool_calls:order=any").value == 0


def test_too_few_too_many_and_none() -> None:
    assert scored([PLAIN]).note == "0 calls instead of 1"
    assert scored([PLAIN], call("weather"), call("weather")).note == "2 calls instead of 1"
    assert scored([], output="I cannot look that up.").value == 1
    assert scored([], call("weather")).value == 0


def test_names_only_and_loose_texts() -> None:
    assert scored([PLAIN], call("weather"), spec="tool_calls:check=name").value == 1
    assert scored([PLAIN], call("weather", city="BERN.", days=3)).value == 0
    assert scored([PLAIN], call("weather", city="BERN.", days=3), spec="tool_calls:text=loose").value == 1


def test_calls_written_as_json_in_the_answer_are_read_where_the_response_has_none() -> None:
    written = '```json\n[{"name": "weather", "arguments": {"city": "Bern", "days": 3}}]\n```'

    assert scored([PLAIN], output=written).value == 1


@pytest.mark.parametrize(
    "reference", ["text", [1], [{"f": {"a": 1}}], [{"f": {}, "g": {}}], {"name": "f", "arguments": 1}]
)
def test_a_reference_that_is_no_list_of_calls_is_refused(reference: Json) -> None:
    with pytest.raises(ScorerError, match="list of calls"):
        scored(reference, call("f"))


# One answer that keeps each rule and one that breaks it.
KEPT_AND_BROKEN: list[tuple[str, dict[str, Json], str, str]] = [
    ("existence", {"keywords": ["tea", "milk"]}, "Tea with milk", "tea"),
    ("frequency", {"keyword": "tea", "frequency": 2, "relation": "at least"}, "Tea and tea", "tea, teapot"),
    ("forbidden_words", {"forbidden_words": ["tea"]}, "a teapot", "hot Tea"),
    ("letter_frequency", {"letter": "q", "let_frequency": 2, "let_relation": "less than"}, "Quo", "qQ"),
    ("response_language", {"language": "de"}, "Das ist nicht von mir.", "That is not from me."),
    ("number_sentences", {"num_sentences": 2, "relation": "exactly"}, "Dr. Li came. She left!", "She came."),
    ("number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo", "one\n***\ntwo\n***\nthree"),
    ("number_words", {"num_words": 3, "relation": "at least"}, "one two-fold don't", "one two"),
    (
        "nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
        "A b.\n\nWeekend, at last.",
        "Weekend.\n\nAt last.",
    ),
    ("number_placeholders", {"num_placeholders": 2}, "[name] and [address]", "[name]"),
    ("postscript", {"postscript_marker": "P.S."}, "Bye.\nP.S. Write soon", "Bye."),
    ("number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n**b**"),
    ("constrained_response", {}, "Hm. My answer is no.", "No."),
    ("number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a* and 2 * 3"),
    ("multiple_sections", {"section_spliter": "SECTION", "num_sections": 2}, "SECTION 1 a SECTION 2 b", "SECTION 1"),
    ("json_format", {}, '```json\n{"a": 1}\n```', "a: 1"),
    ("title", {}, "<<A day>>\ntext", "<< >> text"),
    ("two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("repeat_prompt", {"prompt_to_repeat": "Say hi"}, "Say hi\nhi", "hi"),
    ("end_checker", {"end_phrase": "The end."}, "It was. the end.", "The end. Not."),
    ("quotation", {}, '"all of it"', '"half" of it'),
    ("capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"}, "NASA and ESA", "NASA"),
    ("english_capital", {}, "THIS IS THE END, 1.", "This IS THE END"),
    ("english_lowercase", {}, "this is the end, 1.", "this is the End"),
    ("no_comma", {}, "one and two", "one, two"),
]


def test_every_rule_has_a_case() -> None:
    assert {kind for kind, *_ in KEPT_AND_BROKEN} == set(RULES)


@pytest.mark.parametrize(("kind", "params", "kept", "broken"), KEPT_AND_BROKEN, ids=[row[0] for row in KEPT_AND_BROKEN])
def test_a_rule_is_kept_and_broken(kind: str, params: dict[str, Json], kept: str, broken: str) -> None:
    scorer = make_scorer("instructions", {"kind": kind, **params})

    assert scorer.score(Example(id="e"), Response(output=kept)).value == 1
    assert scorer.score(Example(id="e"), Response(output=broken)).value == 0
    assert scorer.score(Example(id="e"), Response(output="")).value == 0


def test_rules_stand_in_the_example_or_in_the_columns_of_ifeval() -> None:
    ours = Example(id="e", metadata={"instructions": ["no_comma", {"kind": "number_words", "num_words": 3}]})
    theirs = Example(
        id="e",
        metadata={
            "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
            "kwargs": [{"num_words": None, "relation": None}, {"num_words": 3, "relation": "at least", "letter": "x"}],
        },
    )
    answer = Response(output="one two")

    for example in (ours, theirs):
        results = Instructions().check(example, answer)
        assert [(one.rule, one.kept) for one in results] == [("no_comma", True), ("number_words", False)]
        assert make_scorer("instructions").score(example, answer).label == "1 of 2 rules"
        assert make_scorer("instructions:mode=fraction").score(example, answer).value == 0.5


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"kind": "number_words", "num_words": "many"}, "'num_words'"),
        ({"kind": "number_words", "num_words": 3, "relation": "about"}, "'relation'"),
        ({"kind": "existence", "keywords": []}, "'keywords'"),
        ({"kind": "no_comma", "max": 1}, "'max'"),
        ({"num_words": 3}, "kind"),
    ],
)
def test_a_wrong_rule_is_explained(rule: Json, said: str) -> None:
    with pytest.raises(ScorerError, match=said):
        make_scorer("instructions", rule).score(Example(id="e"), Response(output="text"))


def test_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        make_scorer("instructions:no_commas")

    assert caught.value.nearest == "no_comma"


def test_no_rules_anywhere_is_an_error() -> None:
    with pytest.raises(ScorerError, match=r"metadata\.instructions"):
        make_scorer("instructions").score(Example(id="e"), Response(output="text"))
