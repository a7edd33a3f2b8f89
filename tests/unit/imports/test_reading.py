"""Nothing of a source is lost in silence: every leaf is carried, or listed with its place."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.imports import import_files
from boxscore.imports.reading import Left, Node, Source, leftovers

LEAVES = st.one_of(st.integers(), st.text(max_size=3), st.booleans())
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=20,
)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def covered(path: str, lefts: tuple[Left, ...]) -> bool:
    """Whether the place of one of them is the path, or above it."""
    for left in lefts:
        if left.place == "(the file)":
            return True
        pattern = re.escape(left.place).replace(re.escape("[*]"), r"\[\d+\]")
        if re.match(rf"{pattern}(?:$|[.\[])", path):
            return True
    return False


def at(node: Node, path: str) -> Node:
    for step in re.findall(r"\[\d+\]|[^.\[\]]+", path):
        node = list(node)[int(step[1:-1])] if step.startswith("[") else node[step]
    return node


@given(TREES, st.data())
def test_a_leaf_is_listed_exactly_when_nobody_took_it(tree: Any, data: st.DataObject) -> None:
    paths = [path for path, _ in leaves(tree)]
    taken = data.draw(st.sets(st.sampled_from(paths))) if paths else set[str]()
    node = Node(tree, Source())
    for path in taken:
        at(node, path).take()

    lefts = tuple(node.lefts())

    assert {path for path in paths if covered(path, lefts)} == set(paths) - taken


def test_what_is_left_whole_is_listed_even_where_a_part_was_taken() -> None:
    node = Node({"a": {"b": 1, "c": 2}}, Source())
    node["a"]["b"].take()
    node["a"].leave("no such thing here", "do without")

    assert [(left.place, left.reason, left.remedy) for left in node.lefts()] == [
        ("a", "no such thing here", "do without")
    ]


def test_places_that_differ_in_an_index_alone_are_counted() -> None:
    node = Node({"rows": [{"x": 1}, {"x": 2}, {"y": 3}]}, Source())
    for row in node["rows"]:
        row["z"].rest("not of this world")
        row["x"].rest("a number")

    assert [(left.place, left.count) for left in leftovers([node], [])] == [("rows[*].x", 2), ("rows[2]", 1)]


def test_a_value_of_another_kind_than_was_asked_for_stays_untouched() -> None:
    node = Node({"repeat": "often"}, Source("extra.yaml"))

    assert node["repeat"].whole() is None
    assert [left.place for left in node.lefts()] == ["extra.yaml"]


class Tokens:
    """Texts and numbers of which there is one each, so that the one that was lost can be named."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"token{self.count:04d}"


ASSERTS = (
    "equals",
    "icontains",
    "not-contains",
    "contains-all",
    "regex",
    "llm-rubric",
    "javascript",
    "starts-with",
    "new",
)
STRANGE = ("colour", "transform", "options", "provider", "metric", "tags")


def config(draw: st.DrawFn, token: Tokens) -> dict[str, Any]:
    """A configuration with known and unknown keys at every level, and a token at each leaf."""

    def extra(*names: str) -> dict[str, Any]:
        keys = draw(st.lists(st.sampled_from([*STRANGE, *names]), max_size=2, unique=True))
        return {key: draw(st.sampled_from([token(), {"deep": [token(), {"er": token()}]}])) for key in keys}

    def one_assert() -> dict[str, Any]:
        kind = draw(st.sampled_from(ASSERTS))
        value = [token(), token()] if kind == "contains-all" else token()
        return {"type": kind, "value": value, **extra("weight", "threshold")}

    def test() -> dict[str, Any]:
        made: dict[str, Any] = {"vars": {"who": token()}, **extra("description", "threshold", "metadata")}
        if draw(st.booleans()):
            made["vars"]["more"] = [token(), token()]
        if draw(st.booleans()):
            made["assert"] = [one_assert() for _ in range(draw(st.integers(0, 3)))]
        return made

    def provider() -> Any:
        name = draw(
            st.sampled_from(["openai:gpt-4o", "openai:embedding:x", "exec:run", "https://localhost/x", "new:y"])
        )
        settings = {"temperature": 0.5, "passthrough": {"user": token()}, **extra("apiKey", "stop")}
        return draw(st.sampled_from([name, {"id": name, "config": settings, **extra("label", "prompts", "delay")}]))

    return {
        "prompts": [draw(st.sampled_from([token() + " {{who}}", {"raw": token(), "label": token(), **extra()}, 7]))],
        "providers": [provider() for _ in range(draw(st.integers(1, 2)))],
        "tests": [test() for _ in range(draw(st.integers(1, 3)))],
        **({"defaultTest": test()} if draw(st.booleans()) else {}),
        **({"scenarios": [{"config": [test()], "tests": [test()], **extra()}]} if draw(st.booleans()) else {}),
        **extra("description", "env", "evaluateOptions", "sharing", "redteam", "nunjucksFilters"),
    }


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    return config(draw, Tokens())


@settings(max_examples=80, deadline=None)
@given(configs())
def test_every_leaf_of_a_configuration_is_carried_or_listed(tmp_path_factory: Any, written: dict[str, Any]) -> None:
    path: Path = tmp_path_factory.mktemp("config") / "promptfooconfig.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))

    imported = import_files([path])
    carried = b"\n".join(imported.files.values()).decode()
    lost = {
        where: value
        for where, value in leaves(written)
        if isinstance(value, str) and "token" in value
        if re.search(r"token\d+", value)[0] not in carried and not covered(where, imported.left)  # pyright: ignore
    }

    assert lost == {}
