"""Files of a version: read again, they are the same examples."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxscore.datasets import Example, load_dataset
from boxscore.datasets.export import write_examples

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
keys = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6)
numbers = st.integers(-(2**70), 2**70).filter(lambda n: abs(n) < 2**63 or (n > 0 and n < 2**64)) | st.floats(
    allow_nan=False, allow_infinity=False
)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
ids = text.filter(lambda id: id.strip() == id and id)
sets = st.lists(
    st.builds(
        Example,
        id=ids,
        inputs=st.dictionaries(keys, values, max_size=3),
        reference=values,
        metadata=st.dictionaries(keys, values, max_size=2),
        cluster=st.none() | text.filter(bool),
        slices=st.dictionaries(keys, text, max_size=2),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda example: example.id,
)
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "<script>alert(1)</script>", 'a,"b"\nc', "'quoted"]


def written(form, examples, path, **more):
    with path.open("wb") as out:
        write_examples(form, lambda: iter(examples), out, **more)
    return load_dataset(path).examples


@relaxed
@given(given=sets)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_jsonl_and_parquet_read_again_are_the_same(tmp_path, form, given):
    assert written(form, given, tmp_path / f"rows.{form}") == tuple(given)


@relaxed
@given(texts=st.lists(text, min_size=1, max_size=4), references=st.lists(text.filter(bool), min_size=4, max_size=4))
def test_csv_of_texts_read_again_is_the_same(tmp_path, texts, references):
    given = [
        Example(id=f"e{n}", inputs={"q": one.replace("\r", "")}, reference=told.replace("\r", "") or None)
        for n, (one, told) in enumerate(zip(texts, references, strict=False))
    ]

    assert written("csv", given, tmp_path / "rows.csv") == tuple(given)


def test_csv_says_what_is_no_text_as_json(tmp_path):
    given = [Example(id="a", inputs={"n": 7, "list": [1, None], "yes": True}, reference={"a": 1.5})]

    [read] = written("csv", given, tmp_path / "rows.csv")

    assert read.inputs == {"n": "7", "list": "[1,null]", "yes": "true"}
    assert read.reference == '{"a":1.5}'


@pytest.mark.parametrize("cell", HOSTILE)
def test_csv_is_exact_unless_it_is_for_a_spreadsheet(tmp_path, cell):
    given = [Example(id="a", inputs={"q": cell})]

    exact = written("csv", given, tmp_path / "exact.csv")
    out = io.BytesIO()
    write_examples("csv", lambda: iter(given), out, spreadsheet=True)

    assert exact == tuple(given)
    _, (_, shown) = csv.reader(io.StringIO(out.getvalue().decode(), newline=""))
    assert shown == (f"'{cell}" if cell[0] in "=+-@\t" else cell)


def test_jsonl_leaves_out_what_is_empty():
    out = io.BytesIO()
    write_examples("jsonl", lambda: iter([Example(id="a", inputs={"q": "x"})]), out)

    assert out.getvalue() == b'{"id":"a","inputs":{"q":"x"}}\n'
