"""How a scorer is typed, found and made."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError, UnknownNameError
from boxscore.providers.response import Response
from boxscore.scoring import Metric, Score, known_scorers, list_scorers, make_scorer, make_scorers, score_response
from boxscore.scoring.arguments import format_spec, parse_spec

EXAMPLE = Example(id="e1", reference="yes")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
KEY = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@settings(deadline=None)  # machines are busy, and the first call imports
@given(st.lists(TEXT, max_size=4), st.dictionaries(KEY, TEXT, max_size=3))
def test_what_is_written_is_read_back(args: list[str], options: dict[str, str]) -> None:
    parsed = parse_spec(format_spec("name", args, options))

    assert parsed == ("name", tuple(args), options)


@pytest.mark.parametrize(
    ("typed", "args", "options"),
    [
        ("choice:yes, no ,pick=listed", ("yes", "no"), {"pick": "listed"}),
        (r"regex:\d{1\,3}:x", (r"\d{1,3}:x",), {}),
        ('contains:"key=value","a ""b"", c"', ("key=value", 'a "b", c'), {}),
        ('x:a="1,2", b=c=d', (), {"a": "1,2", "b": "c=d"}),
        ('x:""', ("",), {}),
        ("x:A=b", ("A=b",), {}),
        ("x", (), {}),
    ],
)
def test_quoting_rules_of_the_string_form(typed: str, args: tuple[str, ...], options: dict[str, str]) -> None:
    assert parse_spec(typed)[1:] == (args, options)


@pytest.mark.parametrize("typed", ["x:a,,b", 'x:"a', 'x:"a"b', ":a", "", "x:k=1,k=2"])
def test_a_form_that_cannot_be_read_is_refused(typed: str) -> None:
    with pytest.raises(ScorerError):
        parse_spec(typed)


def test_an_unknown_scorer_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        make_scorer("chioce:yes,no")

    assert caught.value.nearest == "choice"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("choice:yes,no,pik=last", ["'pik'", "choices, pick"]),
        ("choice:yes,no,pick=first", ["'pick'", "'first'", "last|listed|marked"]),
        ("choice:yes", ["two or more"]),
        ("choice:yes,YES", ["same"]),
        ("exact:yes", ["no plain arguments"]),
        ("exact:strip=maybe", ["'strip'", "true|false"]),
        ("regex", ["'pattern' is missing"]),
        ("regex:(", ["no regular expression"]),
        ("regex:(a+)+b", ["repeats a repeat"]),
        ("regex:a=b", ["'a'", 'quoted: "a=']),
        ("number:tolerance=-1", ["'tolerance'"]),
        ("number:tolerance=nan", ["'tolerance'", "number"]),
        ("length:words,min=5,max=2", ["min=5"]),
        ("length:pages", ["'unit'", "words|chars|tokens"]),
        ("schema:absent.json", ["absent.json"]),
        ('contains:""', ["empty text"]),
        ("weighted:exact,json,weights=1", ["2 scorers and 1 weights"]),
        ("weighted:exact,weights=-1", ["above 0"]),
        ("all", ["at least one"]),
        ("all:latency", ["amount"]),
        ("function:nowhere_at_all:f", ["nowhere_at_all"]),
        ("function:absent.py:f", ["absent.py"]),
        ("instructions:number_words", ["'num_words'"]),
        ("exact:as=", ["'as'"]),
    ],
)
def test_bad_arguments_are_named_with_what_is_accepted(typed: str, said: list[str]) -> None:
    with pytest.raises(ScorerError) as caught:
        make_scorer(typed)

    assert all(part in str(caught.value) for part in said), str(caught.value)


@pytest.mark.parametrize(
    ("form", "spec"),
    [
        ({"choice": ["yes", "no"]}, "choice:yes,no,pick=last"),
        ({"choice": {"choices": ["yes", "no"], "pick": "listed"}}, "choice:yes,no,pick=listed"),
        ({"name": "choice", "args": ["yes", "no"], "pick": "marked"}, "choice:yes,no,pick=marked"),
        ({"exact": None}, "exact"),
        ({"regex": "a,b"}, 'regex:"a,b"'),
        ({"length": {"unit": "words", "max": 50}}, "length:words,max=50"),
        ({"all": [{"choice": ["yes", "no"]}, "json"]}, 'all:"choice:yes,no,pick=last",json'),
        ({"weighted": {"scorers": ["exact", "json"], "weights": [1, 2.5]}}, 'weighted:exact,json,weights="1,2.5"'),
        ({"schema": {"schema": {"type": "object"}}}, 'schema:{"type":"object"}'),
        (
            {"instructions": ["no_comma", {"kind": "number_words", "num_words": 3}]},
            'instructions:no_comma,"{""kind"":""number_words"",""num_words"":3}"',
        ),
        ({"exact": {"as": "same"}}, "exact:as=same"),
    ],
)
def test_the_mapping_of_a_spec_file_gives_a_scorer_that_its_spec_makes_again(form: object, spec: str) -> None:
    made = make_scorer(form)  # type: ignore[arg-type]

    assert made.spec == spec
    assert make_scorer(made.spec).spec == spec
    assert make_scorer(made.spec).metric == made.metric


def test_yaml_booleans_among_choices_are_explained() -> None:
    with pytest.raises(ScorerError, match="quote it"):
        make_scorer({"choice": [True, False]})


def test_arguments_may_be_python_values() -> None:
    assert make_scorer("choice", "yes", "no", pick="listed").spec == "choice:yes,no,pick=listed"


def test_a_made_scorer_is_returned_as_it_is() -> None:
    made = make_scorer("exact")

    assert make_scorer(made) is made


def test_two_scorers_under_one_metric_name_are_refused_until_one_is_renamed() -> None:
    with pytest.raises(ScorerError, match="as=NAME"):
        make_scorers(["choice:yes,no", "choice:yes,no,pick=listed"])

    names = [one.metric.name for one in make_scorers(["choice:yes,no", "choice:yes,no,pick=listed,as=listed"])]
    assert names == ["choice", "listed"]


def test_every_scorer_is_listed_with_a_docstring_that_says_when_it_lies() -> None:
    listed = list_scorers()

    assert {one.name for one in listed} == set(known_scorers())
    ours = [one for one in listed if one.package == "boxscore"]
    assert len(ours) == 29
    assert [one.name for one in ours if "Lies" not in one.doc or not one.summary] == []


def test_known_scorers_include_those_of_installed_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from boxscore.scoring import registry

    ours = EntryPoint(name="exact", value="boxscore.scoring.matching:Exact", group=registry.GROUP)
    theirs = EntryPoint(name="exact", value="elsewhere:Exact", group=registry.GROUP)
    broken = EntryPoint(name="broken", value="not_there_at_all:X", group=registry.GROUP)
    monkeypatch.setattr(registry, "_discovered", lambda: {"exact": [ours, theirs], "broken": [broken]})

    assert known_scorers() == ("broken", "exact")
    with pytest.raises(ScorerError, match="provided by"):
        make_scorer("exact")
    with pytest.raises(ScorerError, match="cannot be loaded"):
        make_scorer("broken")


class Odd:
    spec = "odd"

    def __init__(self, value: float | None, kind: str) -> None:
        self.metric = Metric(name="odd", kind=kind)  # type: ignore[arg-type]
        self._value = value

    def score(self, example: Example, response: Response) -> Score:
        return Score(value=self._value)


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, "amount"), (math.inf, "amount"), (0.5, "rate"), (1.5, "mean"), (-0.1, "mean")]
)
def test_a_value_that_its_kind_does_not_allow_names_scorer_and_example(value: float, kind: str) -> None:
    with pytest.raises(ScorerError) as caught:
        score_response(Odd(value, kind), EXAMPLE, Response())

    assert (caught.value.scorer, caught.value.example_id) == ("odd", "e1")


@pytest.mark.parametrize(("value", "kind"), [(None, "rate"), (1.0, "rate"), (0.5, "mean"), (-7.0, "amount")])
def test_a_value_that_fits_its_kind_passes(value: float | None, kind: str) -> None:
    assert score_response(Odd(value, kind), EXAMPLE, Response()).value == value


def polite(output: str) -> bool:
    return "please" in output


def test_a_python_function_is_a_scorer() -> None:
    scorer = make_scorer(polite)

    assert scorer.metric == Metric(name="polite", kind="rate")
    assert scorer.score(EXAMPLE, Response(output="please")).value == 1.0
    assert make_scorer(scorer.spec).score(EXAMPLE, Response(output="no")).value == 0.0


def test_a_function_in_a_file_of_ones_own_is_found_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "scorers.py").write_text(
        "def near(reference, output):\n    return 1 - min(1, abs(len(output) - len(reference)) / 10)\n"
    )

    scorer = make_scorer("function:scorers.py:near", folder=tmp_path)

    assert scorer.spec == "function:scorers.py:near"
    assert scorer.score(EXAMPLE, Response(output="yes.....")).value == 0.5


def test_a_function_that_is_not_in_the_file_names_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "scorers.py").write_text("def near(output): return True\n")

    with pytest.raises(ScorerError, match="it has near"):
        make_scorer("function:scorers.py:far", folder=tmp_path)


@pytest.mark.parametrize("given_value", [math.nan, math.inf, None, "good", 7.0])
def test_what_a_function_may_not_return_names_function_and_example(given_value: object) -> None:
    def odd(output: str) -> object:
        return given_value

    with pytest.raises(ScorerError) as caught:
        make_scorer(odd, **{"as": "odd"}).score(EXAMPLE, Response())

    assert caught.value.scorer.endswith("odd")
    assert caught.value.example_id == "e1"


def test_an_exception_in_a_function_names_the_example() -> None:
    def odd(output: str) -> float:
        return 1 / len(output)

    with pytest.raises(ScorerError, match="ZeroDivisionError") as caught:
        make_scorer(odd).score(EXAMPLE, Response())

    assert caught.value.example_id == "e1"


def test_a_function_that_asks_for_what_is_not_offered_is_refused_when_it_is_made() -> None:
    def odd(text: str) -> float:
        return 1.0

    with pytest.raises(ScorerError, match="'text'"):
        make_scorer(odd)


def test_a_function_may_return_a_score_or_an_amount() -> None:
    def words(output: str) -> Score:
        return Score(value=float(len(output.split())), label="w")

    scorer = make_scorer(words, kind="amount", unit="words", better="lower")

    assert scorer.metric.unit == "words"
    assert scorer.score(EXAMPLE, Response(output="a b c")) == Score(value=3.0, label="w")


def fails(output: str) -> bool:
    return False


def passes(output: str) -> bool:
    return True


def silent(output: str) -> Score:
    return Score(value=None)


@pytest.mark.parametrize(
    ("joined", "members", "value"),
    [
        ("all", (passes, passes), 1.0),
        ("all", (passes, fails), 0.0),
        ("all", (silent, fails), 0.0),
        ("all", (silent, passes), None),
        ("any", (fails, passes), 1.0),
        ("any", (fails, fails), 0.0),
        ("any", (silent, passes), 1.0),
        ("any", (silent, fails), None),
    ],
)
def test_all_and_any_join_scorers(joined: str, members: tuple[object, ...], value: float | None) -> None:
    assert make_scorer(joined, *members).score(EXAMPLE, Response()).value == value


def test_lower_is_better_counts_the_other_way_in_a_composition() -> None:
    refuses = Response(output="I'm sorry, but I can't help with that.")

    assert make_scorer("all:refusal").score(EXAMPLE, refuses).value == 0.0
    assert make_scorer("all:refusal").score(EXAMPLE, Response(output="Sure. 42.")).value == 1.0


def test_weighted_is_the_weighted_mean() -> None:
    assert make_scorer("weighted", passes, fails, weights=[1, 3]).score(EXAMPLE, Response()).value == 0.25
    assert make_scorer("weighted", passes, silent).score(EXAMPLE, Response()).value is None
