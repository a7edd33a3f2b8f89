"""Properties: whatever JSON a row holds comes back, and no bytes make the loader fail in any other way than its own."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxscore.datasets import from_rows, load_dataset
from boxscore.errors import UsageError

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
rows = st.lists(
    st.fixed_dictionaries(
        {"id": text.filter(bool), "inputs": st.dictionaries(text, values, max_size=3)},
        optional={
            "reference": values,
            "metadata": st.dictionaries(text, values, max_size=2),
            "cluster": text,
            "slices": st.dictionaries(text, text, max_size=2),
        },
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row["id"],
)
relaxed = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(rows=rows, ascii_only=st.booleans(), seed=st.randoms(use_true_random=False))
def test_a_dataset_survives_being_written_and_read(
    tmp_path: Path, rows: list[dict[str, object]], ascii_only: bool, seed: object
) -> None:
    path = tmp_path / "rows.jsonl"
    shuffled = list(rows)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    path.write_bytes(b"\n".join(json.dumps(row, ensure_ascii=ascii_only).encode() for row in shuffled))

    loaded = load_dataset(path)

    assert {example.id: example.inputs for example in loaded.examples} == {row["id"]: row["inputs"] for row in rows}
    assert loaded.version == from_rows(rows).version


@relaxed
@given(content=st.binary(max_size=200) | st.text(alphabet='{}[]",:idnputs\\ \n1e-N', max_size=80).map(str.encode))
@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_any_bytes_are_loaded_or_refused_in_a_sentence(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"bytes{ending}"
    path.write_bytes(content)

    try:
        assert len(load_dataset(path)) > 0
    except UsageError as error:
        assert str(error).startswith(str(path))  # noqa: PT017 - either outcome is right, and the second is checked
