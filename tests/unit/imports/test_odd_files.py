"""Whatever a file holds, an import carries it, or says in one of our errors why not."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxscore.errors import BoxscoreError, FileError
from boxscore.imports import import_files

WORDS = {
    "promptfoo": """prompts providers tests defaultTest scenarios vars assert type value threshold weight metric id
        label config raw options metadata description evaluateOptions repeat results prompt response output testCase
        provider tools headers body url transformResponse""",
    "inspect": """eval plan samples version model scorers name options steps config id epoch input choices target role
        messages content output completion usage scores metadata error message tool_calls source""",
    "openai-evals": """spec completion_fns run_config eval_spec cls args sample_id type data prompt sampled expected
        input ideal created_at usage match sampling final_report""",
    "huggingface": """question answer answers choices answerKey messages role content text label id context instruction
        input output rows row data paragraphs qas""",
}
KEYS = {kind: words.split() for kind, words in WORDS.items()}
TEXTS = st.sampled_from(
    ["", "a", "{{a}}", "{% if %}", "equals", "llm-rubric", "is-json", "file://x", "openai:a", "openai/a", "user", "A",
     "match", "sampling", "https://localhost", "(a+)+", "\x00", "evals.elsuite.basic.match:Match"]
)  # fmt: skip


def trees(keys: list[str]) -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers(-2, 3) | st.floats(-1, 2) | TEXTS
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=5),
        max_leaves=25,
    )


def shaped(kind: str) -> st.SearchStrategy[Any]:
    """Trees that come at least through the front door."""
    tree = trees(KEYS[kind])
    if kind == "promptfoo":
        test = st.fixed_dictionaries(
            {}, optional={"vars": tree, "assert": st.lists(tree, max_size=2), "metadata": tree}
        )
        config = {"prompts": st.lists(tree | TEXTS, max_size=2), "providers": tree, "tests": st.lists(test, max_size=2)}
        more = {"defaultTest": tree, "scenarios": tree, "evaluateOptions": tree}
        keys = ("provider", "prompt", "vars", "testCase", "response", "gradingResult", "latencyMs", "cost", "error")
        rows = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(keys, tree)), max_size=2)
        outer = st.fixed_dictionaries({"results": rows}, optional={"prompts": tree})
        results = st.fixed_dictionaries({"results": outer}, optional={"config": tree})
        return results | st.fixed_dictionaries(config, optional=more)
    if kind == "inspect":
        odd = dict.fromkeys(("output", "scores", "messages", "target", "choices", "error"), tree)
        sample = st.fixed_dictionaries({"id": st.integers(0, 3), "input": tree | TEXTS}, optional=odd)
        header = st.fixed_dictionaries({"model": TEXTS}, optional={"scorers": tree, "config": tree})
        return st.fixed_dictionaries({"eval": header, "samples": st.lists(sample, max_size=3)}, optional={"plan": tree})
    if kind == "openai-evals":
        row = st.fixed_dictionaries({"input": tree | TEXTS}, optional={"ideal": tree})
        event = st.fixed_dictionaries({"sample_id": TEXTS, "type": TEXTS, "data": tree}, optional={"created_at": tree})
        return st.lists(row, max_size=3) | st.lists(event, max_size=3).map(lambda events: [{"spec": {}}, *events])
    return st.lists(st.dictionaries(st.sampled_from(KEYS[kind]), tree, max_size=4), max_size=3)


def check(path: Path, kind: str) -> None:
    try:
        made = import_files([path], format=kind)
    except BoxscoreError as error:
        assert "\n" not in str(error).strip()  # noqa: PT017
    else:
        assert made.files


@pytest.mark.parametrize("kind", list(KEYS))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_odd_trees_end_in_files_or_in_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    tree = data.draw(shaped(kind) | trees(KEYS[kind]))
    path = tmp_path_factory.mktemp("odd") / "file.json"
    if kind == "openai-evals":
        path = path.with_suffix(".jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in (tree if isinstance(tree, list) else [tree])))
    else:
        path.write_text(json.dumps(tree))

    check(path, kind)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60))
def test_odd_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("odd")
    for kind, name in (
        ("promptfoo", "a.yaml"),
        ("inspect", "a.eval"),
        ("inspect", "a.json"),
        ("huggingface", "a.jsonl"),
    ):
        (folder / name).write_bytes(raw)
        check(folder / name, kind)


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["header.json", "samples/a.json", "samples/b.json", "x"]), st.binary(max_size=30))
)
def test_odd_members_of_an_archive_are_refused(tmp_path_factory: pytest.TempPathFactory, members: Any) -> None:
    path = tmp_path_factory.mktemp("odd") / "a.eval"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

    check(path, "inspect")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        import_files([tmp_path / "notes"])
