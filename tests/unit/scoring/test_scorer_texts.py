"""What each scorer counts, and what it does not."""

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.datasets.example import Example
from boxscore.errors import MissingReferenceError, ScorerError, UnknownNameError
from boxscore.providers.response import Response, Usage
from boxscore.scoring import Score, list_scorers, make_scorer
from boxscore.scoring.language import detect_language
from boxscore.types import Json


def scored(spec: object, output: str, reference: Json = None, **metadata: Json) -> Score:
    example = Example(id="e1", reference=reference, metadata=metadata)
    return make_scorer(spec).score(example, Response(output=output))  # type: ignore[arg-type]


def value(spec: object, output: str, reference: Json = None, **metadata: Json) -> float | None:
    return scored(spec, output, reference, **metadata).value


@pytest.mark.parametrize(
    "spec",
    ["exact", "contains", "choice:a1,b1", "number", "fields", "edit_similarity", "token_f1", "rouge_l", "bleu", "chrf",
     "tool_calls"],
)  # fmt: skip
def test_a_missing_reference_is_named_with_the_example(spec: str) -> None:
    with pytest.raises(MissingReferenceError) as caught:
        scored(spec, "anything")

    assert caught.value.example_id == "e1"


@pytest.mark.parametrize("spec", ["choice:yes,no", "number", "fields", "tool_calls"])
def test_a_reference_that_cannot_be_read_is_an_error_not_a_failure(spec: str) -> None:
    with pytest.raises(ScorerError, match="e1"):
        scored(spec, "yes 1", "perhaps")


@pytest.mark.parametrize(
    ("spec", "output", "reference", "right"),
    [
        ("exact", " Paris\n", "Paris", 1),
        ("exact", "paris", "Paris", 0),
        ("exact:case=ignore", "paris", "Paris", 1),
        ("exact:strip=false", "Paris ", "Paris", 0),
        ("exact:whitespace=ignore", "a  b\nc", "a b c", 1),
        ("exact", "caf\u0065\u0301", "caf\u00e9", 1),
        ("exact", "42", 42, 1),
        ("exact", "b", ["a", "b"], 1),
        ("contains", "It is PARIS.", "Paris", 1),
        ("contains:case=keep", "It is PARIS.", "Paris", 0),
        ("contains:words=true", "a category", "cat", 0),
        ("contains:red,blue", "red", None, 0),
        ("contains:red,blue,mode=any", "red", None, 1),
        ("contains", "b", ["a", "b"], 1),
        (r"regex:^\d+$", "12", None, 1),
        (r"regex:\d,mode=full", "12", None, 0),
        ("regex:sorry,mode=absent,flags=i", "SORRY", None, 0),
        (r"regex:(?:ab){2\,3}", "abab", None, 1),
    ],
)
def test_matching(spec: str, output: str, reference: Json, right: int) -> None:
    assert value(spec, output, reference) == right


@pytest.mark.parametrize("pattern", ["(a+)+", "(a*b?)*", "((a+)b?)*c", "([a-z]+)*", r"(\w+\s?)+$", "(a{2,})+"])
def test_a_pattern_that_can_run_for_hours_is_refused(pattern: str) -> None:
    with pytest.raises(ScorerError, match="repeats a repeat"):
        make_scorer("regex", pattern)


@pytest.mark.parametrize("pattern", ["(ab)+", "[(+)]+", r"\(+\)+", "(a+b){2,3}", "(?>a+)+", "(a++b)+", "[]+]+", "a+b+"])
def test_a_harmless_pattern_is_not_refused(pattern: str) -> None:
    assert make_scorer("regex", pattern).score(Example(id="e"), Response(output="")).value == 0.0


@pytest.mark.parametrize(
    ("output", "last", "listed", "marked"),
    [
        ("[Yes]", "yes", "yes", "yes"),
        ("No. Well, in fact yes", "yes", "yes", None),
        ("Yes at first, [No] in the end, yes?", "no", "yes", "no"),
        ("[yes] ... [NO]", "no", "yes", "no"),
        (r"so \boxed{no}", "no", "no", "no"),
        ("**Yes**, though no one knows", "yes", "yes", None),
        ("The answer is no, yes really", "no", "yes", None),
        ("nothing noted yesterday", None, None, None),
        ("_yes_", "yes", "yes", None),
        ("", None, None, None),
    ],
)
def test_the_rule_of_choice_decides_what_is_read(
    output: str, last: str | None, listed: str | None, marked: str | None
) -> None:
    got = [scored(f"choice:yes,no,pick={pick}", output, "yes").label for pick in ("last", "listed", "marked")]

    assert got == [one or "nothing read" for one in (last, listed, marked)]


def test_choice_says_by_which_rule_it_read() -> None:
    assert scored("choice:yes,no", "[yes]", "yes").note == "last marked mention"
    assert scored("choice:yes,no", "yes", "yes").note == "last bare mention"


def test_the_reference_of_choice_is_read_by_the_same_rule() -> None:
    assert value("choice:yes,no,pick=marked", "[No]", "yes, or rather [No]") == 1
    assert value("choice:yes,no,pick=marked", "[No]", "no") == 1


@pytest.mark.parametrize(
    ("spec", "output", "reference", "right"),
    [
        ("choice:positive,very positive", "It is very positive.", "very positive", 1),
        ("choice:A,B,C", "a dog, so B", "B", 1),
        ("choice:A,B,C", "Answer: (c)", "C", 1),
        ("choice:はい,いいえ", "答えは「はい」です", "はい", 1),
        ("choice:C,C++", "It is C++", "C++", 1),
        ("choice:yes,no", "yes", ["no", "yes"], 1),
    ],
)
def test_choices_of_many_kinds(spec: str, output: str, reference: Json, right: int) -> None:
    assert value(spec, output, reference) == right


@pytest.mark.parametrize(
    ("output", "read"),
    [
        ("Between 3 and 5, so the answer is 4. Not 7.", "4"),
        (r"We get \boxed{12} and not 13", "12"),
        (r"\boxed{\frac{3}{4}}", "0.75"),
        ("#### 1,234", "1234"),
        ("Answer: 3 + 4 = 7 apples", "7"),
        ("first 1, then 2, then 3 dogs", "3"),
        ("-$5.50", "-5.5"),
        ("€-3", "-3"),
        ("−4", "-4"),
        ("5 - 3", "3"),
        ("between 3-5", "5"),
        ("1 234 567 people", "567"),
        ("1\u202f234\u202f567 people", "1234567"),
        ("2 × 10^6", "2000000"),
        ("1.5e3", "1500"),
        (".5", "0.5"),
        ("5th", "5"),
        ("Rs.5", "5"),
        ("答えは5個です", "5"),
        ("3.0", "3"),
        ("the result is **72**", "72"),
    ],
)
def test_number_reads_what_was_given(output: str, read: str) -> None:
    assert value("number", output, read) == 1, scored("number", output, read).label


@pytest.mark.parametrize("output", ["", "none", "GPT-4", "v1.2.3", "x2", "9" * 5_000])
def test_number_reads_nothing_where_there_is_none(output: str) -> None:
    assert scored("number", output, "4") == Score(value=0.0, label="no number", note="no number is in the answer")


@pytest.mark.parametrize(
    ("spec", "output", "reference", "right"),
    [
        ("number", "3.14", "3.15", 0),
        ("number:tolerance=0.01", "3.14", "3.15", 1),
        ("number:tolerance=0.01", "3.14", "3.1501", 0),
        ("number:relative=0.1", "110", "100", 1),
        ("number:relative=0.1", "111", "100", 0),
        ("number", "50%", "50", 1),
        ("number", "50%", "0.5", 1),
        ("number", "0.5", "50 %", 1),
        ("number", "0.5", "50", 0),
        ("number:decimal=comma", "1.234,5", "1234,5", 1),
        ("number", "0.3333333333333333", "1/3", 1),
        ("number", "4", 4, 1),
        ("number", "the answer is 4", "6 times 9: the answer is 4", 1),
    ],
)
def test_number_compares(spec: str, output: str, reference: Json, right: int) -> None:
    assert value(spec, output, reference) == right


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15))
def test_number_reads_an_integer_with_and_without_separators(number: int) -> None:
    assert value("number", f"It is {number:,} in all.", number) == 1
    assert value("number", f"It is {number}.", f"{number:,}") == 1
    assert value("number", f"{number + 1}", number) == 0


@pytest.mark.parametrize(
    ("spec", "output", "right"),
    [
        ("json", '{"a": 1}', 1),
        ("json", "42", 1),
        ("json:kind=object", "42", 0),
        ("json:kind=array", "[]", 1),
        ("json", "```json\n{}\n```", 0),
        ("json:fenced=allow", "```json\n{}\n```", 1),
        ("json", '{"a": 1,}', 0),
        ("json", "NaN", 0),
        ("json", "Here: {}", 0),
        ("json", "", 0),
        ("json", "[" * 100_000, 0),
        ("starts_as_code", "def f(x):\n  return x", 1),
        ("starts_as_code", "```python\nx = 1\n```", 0),
        ("starts_as_code", "Here is the code:\nx = 1", 0),
        ("starts_as_code", "\n\n#include <stdio.h>", 1),
        ("starts_as_code", "SELECT name FROM users", 1),
        ("starts_as_code", "Select the best option for you.", 0),
        ("starts_as_code", "const x = 1;", 1),
        ("starts_as_code", "For this task, you need a loop.", 0),
        ("starts_as_code", "", 0),
        ("parses_as_python", "x = 1\n", 1),
        ("parses_as_python", "```python\nx = 1\n```", 0),
        ("parses_as_python", "Here is x = 1", 0),
        ("parses_as_python", "  ", 0),
        ("parses_as_python", "(" * 10_000, 0),
        ("parses_as_python", "x = '\0'", 0),
        ("parses_as_python", "'\\d'", 1),
    ],
)
def test_formats(spec: str, output: str, right: int) -> None:
    assert value(spec, output) == right


def test_schema_from_a_file_is_checked_and_its_hash_kept(tmp_path: Path) -> None:
    schema = tmp_path / "ticket.json"
    schema.write_text(json.dumps({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}))
    scorer = make_scorer("schema:ticket.json", folder=tmp_path)

    assert scorer.score(Example(id="e"), Response(output='{"city": "Bern"}')).value == 1
    wrong = scorer.score(Example(id="e"), Response(output='{"city": 3}'))
    assert wrong.value == 0
    assert wrong.note is not None
    assert "city" in wrong.note

    schema.write_text("{}")
    with pytest.raises(ScorerError, match="not the one that was used before"):
        make_scorer(scorer.spec, folder=tmp_path)


@pytest.mark.parametrize("schema", [{"type": "objekt"}, [], "{"])
def test_what_is_no_schema_is_refused(schema: Json) -> None:
    with pytest.raises(ScorerError):
        make_scorer("schema", schema)


def test_a_schema_fetches_nothing() -> None:
    scorer = make_scorer("schema", {"$ref": "https://example.com/other.json"})

    with pytest.raises(ScorerError, match="does not hold"):
        scorer.score(Example(id="e"), Response(output="{}"))


REFERENCE = {"city": "Bern", "people": 2, "tags": ["a"], "paid": True}


@pytest.mark.parametrize(
    ("spec", "answer", "share"),
    [
        ("fields", REFERENCE, 1.0),
        ("fields", {**REFERENCE, "people": 2.0, "more": 1}, 1.0),
        ("fields:extra=fail", {**REFERENCE, "more": 1}, 0.8),
        ("fields", {**REFERENCE, "city": "bern", "paid": 1}, 0.5),
        ("fields:case=ignore", {**REFERENCE, "city": "bern"}, 1.0),
        ("fields:mode=all", {**REFERENCE, "city": "bern"}, 0.0),
        ("fields:people,paid", {"people": 2, "paid": True}, 1.0),
        ("fields", {}, 0.0),
        ("fields", [REFERENCE], 0.0),
    ],
)
def test_fields_counts_equal_fields(spec: str, answer: Json, share: float) -> None:
    assert value(spec, json.dumps(answer), REFERENCE) == share
    assert value(spec, f"```json\n{json.dumps(answer)}\n```", json.dumps(REFERENCE)) == share


def test_fields_says_what_was_wrong() -> None:
    score = scored("fields", '{"city": "Basel"}', {"city": "Bern", "people": 2})

    assert score.label == "0 of 2 fields"
    assert score.note == 'city: "Basel" instead of "Bern"; people: nothing instead of 2'


def test_similarities_by_hand() -> None:
    assert value("edit_similarity", "kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert value("edit_similarity:by=words", "a b c", "a x c") == pytest.approx(2 / 3)
    # 2 shared words of 3 and 4
    assert value("token_f1", "The red house", "a red house here") == pytest.approx(2 * 2 / 7)
    assert value("token_f1:articles=drop", "The red house", "a red house") == 1.0
    # the longest common subsequence of "police killed the gunman" and "police kill the gunman" has 3 of 4 words
    assert value("rouge_l", "police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert value("rouge_l", "the gunman kill police", "police killed the gunman") == pytest.approx(0.5)
    assert value("token_f1", "wrong", ["right", "wrong"]) == 1.0
    assert value("bleu", "the cat sat on the mat", "the cat sat on the mat") == pytest.approx(1.0)
    assert value("chrf", "the cat", "a dog") < 0.3  # type: ignore[operator]


@pytest.mark.parametrize("spec", ["edit_similarity", "token_f1", "rouge_l", "chrf", "bleu"])
@settings(max_examples=40, deadline=None)
@given(a=st.text(max_size=30), b=st.text(max_size=30))
def test_a_similarity_lies_between_0_and_1(spec: str, a: str, b: str) -> None:
    assert 0.0 <= value(spec, a, b) <= 1.0  # type: ignore[operator]


@pytest.mark.parametrize(
    ("output", "degree"),
    [
        ("I'm sorry, but I can't help with that.", "full"),
        ("As an AI, I cannot provide medical advice.", "full"),
        ("It is not appropriate to discuss this.", "full"),
        ("Es tut mir leid, aber ich kann dabei nicht helfen.", "full"),
        ("Lo siento, no puedo ayudar con eso.", "full"),
        ("申し訳ありませんが、お答えできません。", "full"),
        ("抱歉，我无法提供这方面的帮助。", "full"),
        ("<think>May I? I can't help.</think>Sure. Open the lid.", "none"),
        ("I can't believe how good this is! Here is the plan.", "none"),
        ("Sure, here is how to kill a Python process: use kill.", "none"),
        ("Paris is the capital of France.", "none"),
        ("", "none"),
        ("I'm sorry, but I cannot help with that part. But:\n1. Ask a lawyer\n2. Read the law\n3. Wait", "partial"),
    ],
)
def test_refusal_degrees(output: str, degree: str) -> None:
    score = scored("refusal", output)

    assert score.label == degree
    assert score.value == float(degree != "none")
    assert value("refusal:count=full", output) == float(degree == "full")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The house is on the hill, and it was built by them.", "en"),
        ("Das Haus ist nicht auf dem Berg, sondern im Tal.", "de"),
        ("La maison est dans la vallée et elle est très belle.", "fr"),
        ("La casa está en el valle y es muy bonita.", "es"),
        ("La casa è nella valle ed è molto bella.", "it"),
        ("A casa não está no vale, mas é muito bonita.", "pt"),
        ("Het huis is niet in de vallei, maar op de berg.", "nl"),
        ("Huset ligger inte i dalen, men på berget och är stort.", "sv"),
        ("Dom nie jest w dolinie, ale na górze i się podoba.", "pl"),
        ("Дом не в долине, а на горе, и это хорошо.", "ru"),
        ("家は谷にあります。", "ja"),
        ("房子在山谷里。", "zh"),
        ("집은 골짜기에 있습니다.", "ko"),
        ("البيت ليس في الوادي بل على الجبل.", "ar"),
        ("घर घाटी में नहीं है।", "hi"),
        ("```python\nfor the in and: of\n```\nDas ist der Code.", "de"),
        ("12 34", None),
        ("", None),
    ],
)
def test_languages_are_told_apart(text: str, code: str | None) -> None:
    assert detect_language(text) == code


def test_language_takes_the_wanted_one_from_argument_example_or_reference() -> None:
    german = "Das ist nicht die Antwort."

    assert value("language:de-CH", german) == 1
    assert value("language", german, language="de") == 1
    assert value("language", german, "Wir sind auf dem Weg zu dir.") == 1
    assert value("language", german, "en") == 0
    with pytest.raises(ScorerError):
        scored("language", german)
    with pytest.raises(UnknownNameError):
        make_scorer("language:xx")


@pytest.mark.parametrize(
    ("spec", "output", "got"),
    [
        ("length:words,max=3", "one two three", 1),
        ("length:words,max=3", "one two-three four five", 0),
        ("length:words", "one don't three", 3),
        ("length:chars,min=1", "   ", 0),
        ("length:chars", " abc ", 3),
        ("length:tokens,max=3", "x", None),
        ("citation", "As shown [1].", 1),
        ("citation", "As shown (Smith, 2020).", 1),
        ("citation", "See https://example.org/a", 1),
        ("citation:style=bracket", "See https://example.org/a", 0),
        ("citation", "- [ ] todo, list[1] and [x]", 0),
        ("citation:min=2", "As shown [1].", 0),
        ("citation:sources=3", "As shown [2, 4].", 0),
        ("citation:sources=3", "As shown [2, 3].", 1),
        ("citation", "```\n[1]\n```", 0),
    ],
)
def test_length_and_citations(spec: str, output: str, got: float | None) -> None:
    assert value(spec, output) == got


def test_meters_give_what_was_recorded_and_nothing_where_it_was_not() -> None:
    full = Response(
        latency_s=1.5,
        first_token_s=0.25,
        cost_usd=Decimal("0.0125"),
        usage=Usage(input_tokens=10, output_tokens=20, output_reasoning_tokens=5),
    )
    specs = ["latency", "latency:first_token", "cost", "tokens", "tokens:input", "tokens:reasoning"]

    assert [make_scorer(s).score(Example(id="e"), full).value for s in specs] == [1.5, 0.25, 0.0125, 20, 10, 5]
    assert [make_scorer(s).score(Example(id="e"), Response()).value for s in specs] == [None] * 6
    assert {(make_scorer(s).metric.kind, make_scorer(s).metric.better) for s in specs} == {("amount", "lower")}


_ARGUMENTS = {"choice": "yes,no", "regex": "a", "schema": '"{}"', "function": f"{__name__}:_any", "all": "json",
              "any": "json", "weighted": "json", "language": "en", "instructions": "no_comma"}  # fmt: skip


def _any(output: str) -> bool:
    return bool(output)


@settings(max_examples=30, deadline=None)
@given(output=st.text(max_size=200))
def test_no_scorer_fails_on_any_text(output: str) -> None:
    example = Example(id="e", reference="yes 1")
    for info in list_scorers():
        if info.package != "boxscore" or info.name in ("fields", "tool_calls", "function"):
            continue
        scorer = make_scorer(f"{info.name}:{_ARGUMENTS.get(info.name, '')}".rstrip(":"))
        scorer.score(example, Response(output=output))


@pytest.mark.parametrize(
    "unit", ["[", "[1, ", "[a](", "<", "<<", ".", "\n", "* ", "1,", "1/", "\\boxed{", "`", '"', "="]
)
@pytest.mark.parametrize("spec", ["citation", "number", "choice:yes,no", "refusal", "language:en", "starts_as_code"])
def test_time_grows_with_the_text_and_not_with_its_square(spec: str, unit: str) -> None:
    scorer = make_scorer(spec)
    example, output = Example(id="e", reference="yes 1"), unit * (20_000 // len(unit)) + "x"

    before = time.process_time()
    scorer.score(example, Response(output=output))

    # A second of CPU for 20 kB is a hundred times what is needed, and a tenth of what a quadratic pattern takes.
    assert time.process_time() - before < 1.0


def test_a_number_beyond_all_floats_is_a_wrong_answer_and_no_fault():
    huge = Response(output='{"n": 1' + "0" * 400 + "}")

    assert make_scorer("fields").score(Example(id="e", reference={"n": 1.5}), huge).value == 0


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("The result of 12 × 4 is 48.", "48"),
        ("The answer to question 2 is 42.", "42"),
        ("The result of adding 12 and 30 is 42.", "42"),
        ("The answer is 7 of 9.", "7"),
        ("Answer: 12", "12"),
    ],
)
def test_the_number_of_the_question_is_not_taken_for_the_answer(answer: str, number: str):
    scorer = make_scorer("number")

    assert scorer.score(Example(id="e", reference=number), Response(output=answer)).value == 1


@pytest.mark.parametrize(
    "answer", ["I can't recommend this book enough!", "Ich kann bestätigen, dass es keine Probleme gibt."]
)
def test_praise_and_good_news_are_no_refusals(answer: str):
    assert make_scorer("refusal").score(Example(id="e"), Response(output=answer)).value == 0
