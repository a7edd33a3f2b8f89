"""Spec files: YAML that means what it says, checked by key and line before anything runs."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from boxscore.errors import FileError, SpecError, UnknownNameError
from boxscore.experiments.spec import Spec, load_spec
from boxscore.experiments.verdict import Guard, Rule

Load = Callable[[str], Spec]

BASE = """\
dataset: data/cases.jsonl
variants:
  old: {provider: tiny, model: tiny-1}
  new: {provider: tiny, model: tiny-2}
scorers:
  - choice:yes,no
  - exact
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def read(text: str) -> Spec:
        path = tmp_path / "boxscore.yaml"
        path.write_text(textwrap.dedent(text))
        return load_spec(path)

    return read


@pytest.fixture
def refused(load: Load, tmp_path: Path) -> Callable[[str], SpecError]:
    def read(text: str) -> SpecError:
        with pytest.raises(SpecError) as caught:
            load(text)
        assert caught.value.path == tmp_path / "boxscore.yaml"
        assert caught.value.exit_code == 2
        return caught.value

    return read


def test_the_least_that_a_spec_says(load: Load, tmp_path: Path) -> None:
    spec = load(BASE)

    assert spec.dataset == tmp_path / "data" / "cases.jsonl"
    assert spec.folder == tmp_path
    assert spec.variants == {
        "old": {"provider": "tiny", "model": "tiny-1"},
        "new": {"provider": "tiny", "model": "tiny-2"},
    }
    assert (spec.baseline, spec.candidates) == ("old", ("new",))
    assert [scorer.metric.name for scorer in spec.scorers] == ["choice", "exact"]
    assert spec.rule == Rule(metric="choice")
    assert (spec.repeats, spec.seed, spec.stop_early) == (1, 0, False)
    assert (spec.concurrency, spec.spend_cap_usd, spec.max_age_s, spec.prices) == (None, None, None, None)


def test_all_that_a_spec_can_say(load: Load, tmp_path: Path) -> None:
    spec = load(
        BASE
        + """\
  - exact: {as: same}
cluster: metadata.document
slices: [lang, inputs.kind]
baseline: new
candidate: [old]
metric: exact
rule:
  kind: noninferiority
  margin: 0.02
  alpha: 0.1
  guards:
    - {metric: choice, margin: 0.01}
    - {metric: latency_p95_s, ceiling: 2}
    - {metric: errors, ceiling: 0.01}
repeats: 3
concurrency: 4
spend_cap_usd: 1.50
max_age: 12h
stop_early: true
seed: 7
prices: prices.yaml
"""
    )

    assert (spec.baseline, spec.candidates) == ("new", ("old",))
    assert (spec.cluster, spec.slices) == ("metadata.document", ("lang", "inputs.kind"))
    assert [scorer.metric.name for scorer in spec.scorers] == ["choice", "exact", "same"]
    assert spec.rule == Rule(
        metric="exact",
        kind="noninferiority",
        margin=0.02,
        alpha=0.1,
        guards=(
            Guard(metric="choice", margin=0.01),
            Guard(metric="latency_p95_s", ceiling=2),
            Guard(metric="errors", ceiling=0.01),
        ),
    )
    assert (spec.repeats, spec.concurrency, spec.spend_cap_usd, spec.max_age_s) == (3, 4, 1.5, 43_200)
    assert (spec.stop_early, spec.seed, spec.prices) == (True, 7, tmp_path / "prices.yaml")


def test_the_dataset_is_read_from_beside_the_spec(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cases.jsonl").write_text('{"id": "a", "inputs": {"doc": "d"}}\n')
    spec = load(BASE + "cluster: doc\nslices: doc\n")
    monkeypatch.chdir("/")

    (example,) = spec.read_dataset().examples

    assert (example.cluster, example.slices) == ("d", {"doc": "d"})


class TestYaml:
    def values(self, load: Load, text: str) -> dict[str, object]:
        return load(BASE.replace("{provider: tiny, model: tiny-1}", text)).variants["old"]

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("yes", "yes"),
            ("No", "No"),
            ("on", "on"),
            ("2024-01-02", "2024-01-02"),
            ("12:30", "12:30"),
            ("1_000", "1_000"),
            ("true", True),
            ("False", False),
            ("null", None),
            ("~", None),
            ("", None),
            ("12", 12),
            ("-1.5", -1.5),
            ("1e-3", 0.001),
            ("'12'", "12"),
            (".inf", ".inf"),
            ("0x1f", "0x1f"),
        ],
    )
    def test_plain_words_are_what_they_look_like(self, load: Load, written: str, value: object) -> None:
        found = self.values(load, "{x: " + written + "}")["x"]

        assert found == value
        assert type(found) is type(value)

    def test_names_that_look_like_values_stay_names(self, load: Load) -> None:
        assert list(load(BASE.replace("old:", "no:").replace("new:", "4:")).variants) == ["no", "4"]

    def test_anchors_and_merges_work(self, load: Load) -> None:
        spec = load(
            """\
            dataset: a.jsonl
            variants:
              old: &base {model: a, params: {temperature: 0}}
              new: {<<: *base, model: b}
            scorers: exact
            """
        )

        assert spec.variants["new"] == {"model": "b", "params": {"temperature": 0}}

    @pytest.mark.parametrize(
        ("text", "line", "problem"),
        [
            (BASE + "seed: [1\n", 9, "is no YAML"),
            (BASE + "\tseed: 1\n", 8, "is no YAML"),
            (BASE + "name: a\x01b\n", 8, "U+0001"),
            (BASE + "seed: !!python/object/apply:os.getcwd []\n", 8, "is not known here"),
            (BASE + "seed: !!binary aGk=\n", 8, "is not known here"),
            (BASE + "dataset: other.jsonl\n", 8, "stands twice, first on line 1"),
            (BASE + "max_age: &a [*a]\n", 8, "inside what it stands for"),
            (BASE + "seed: 1e999\n", 8, "too large a number"),
            (BASE + "? [a, b]\n: 1\n", 8, "a key must be plain text"),
        ],
    )
    def test_what_is_refused_is_named_by_line(
        self, refused: Callable[[str], SpecError], text: str, line: int, problem: str
    ) -> None:
        error = refused(text)

        assert problem in str(error)
        assert error.line == line
        assert f"line {line}" in str(error)

    def test_aliases_that_explode_are_refused(self, refused: Callable[[str], SpecError]) -> None:
        bomb = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))

        assert "more than 100000 values" in str(refused("a0: &a0 [x]\n" + bomb))

    def test_nesting_without_end_is_refused(self, refused: Callable[[str], SpecError]) -> None:
        assert "nested too deeply" in str(refused("[" * 20_000))

    def test_files_that_are_no_spec_are_refused(self, tmp_path: Path) -> None:
        large = tmp_path / "large.yaml"
        large.write_text("# " + "x" * 1024 * 1024)
        empty = tmp_path / "empty.yaml"
        empty.write_text("# only a comment\n")
        binary = tmp_path / "binary.yaml"
        binary.write_bytes(b"\0\1\2")

        for path, problem in (
            (large, "is larger than 1024 KB"),
            (empty, "says nothing"),
            (binary, "is a binary file"),
            (tmp_path / "larg.yaml", "did you mean"),
        ):
            with pytest.raises(FileError, match=problem):
                load_spec(path)


class TestKeys:
    @pytest.mark.parametrize(
        ("text", "line", "key", "problem"),
        [
            (BASE + "repeat: 3\n", 8, "repeat", "there is no such key; did you mean 'repeats'?"),
            (BASE + "rule:\n  margn: 0.1\n", 9, "rule.margn", "there is no such key; did you mean 'margin'?"),
            (BASE + "margin: 0.1\n", 8, "margin", "'margin' stands below 'rule'"),
            (BASE + "rule: {metric: exact}\n", 8, "rule.metric", "'metric' stands at the top level"),
            (BASE + "xyz: 1\n", 8, "xyz", "known are dataset, variants, scorers"),
            (BASE + "repeats: two\n", 8, "repeats", "must be a whole number, and is text."),
            (BASE + "repeats: 0\n", 8, "repeats", "must be 1 or more, and is 0."),
            (BASE + "concurrency: 0\n", 8, "concurrency", "must be 1 or more"),
            (BASE + "seed: -1\n", 8, "seed", "must be 0 or more"),
            (BASE + "stop_early: yes\n", 8, "stop_early", "must be true or false, and is text."),
            (BASE + "spend_cap_usd: 0\n", 8, "spend_cap_usd", "must be above 0 dollars"),
            (BASE + "max_age: soon\n", 8, "max_age", "must be seconds, or a number with s, m, h or d"),
            (BASE + "slices: 3\n", 8, "slices", "must be text or a list"),
            (BASE + "candidate: old\n", 8, "candidate", "is the baseline as well"),
            (BASE + "candidate: [new, new]\n", 8, "candidate", "is named twice"),
            (BASE + "candidate: []\n", 8, "candidate", "names no variant"),
            (BASE + "  - exact\n", 5, "scorers", "is there twice"),
            (BASE + "  - {exact: {}, json: {}}\n", 8, "scorers[2]", "a scorer is one name with its arguments"),
            (BASE + "  - choice\n", 8, "scorers[2]", "choice"),
            (BASE.replace("{provider: tiny, model: tiny-2}", "tiny-2"), 4, "variants.new", "must be a mapping"),
        ],
    )
    def test_a_wrong_one_is_named_with_its_line(
        self, refused: Callable[[str], SpecError], text: str, line: int, key: str, problem: str
    ) -> None:
        error = refused(text)

        assert (error.key, error.line) == (key, line)
        assert problem in str(error)

    @pytest.mark.parametrize("key", ["dataset", "variants", "scorers"])
    def test_a_missing_one_is_named(self, load: Load, key: str) -> None:
        text = "\n".join(
            line for line in ("dataset: a.jsonl", "variants: {a: {}}", "scorers: exact") if not line.startswith(key)
        )

        with pytest.raises(SpecError, match=f"key '{key}': is missing"):
            load(text)

    @pytest.mark.parametrize("text", ["- a\n", "text\n", "3\n"])
    def test_a_spec_is_a_mapping(self, refused: Callable[[str], SpecError], text: str) -> None:
        assert "a spec is a mapping" in str(refused(text))

    @pytest.mark.parametrize(
        ("more", "kind", "name", "nearest", "line"),
        [
            ("baseline: odl\n", "variant", "odl", "old", 8),
            ("candidate: [nwe]\n", "variant", "nwe", "new", 8),
            ("  - exakt\n", "scorer", "exakt", "exact", 8),
            ("metric: exat\n", "metric", "exat", "exact", 8),
            ("rule: {kind: superior}\n", "rule", "superior", "superiority", 8),
            (
                "rule:\n  guards: [{metric: latency_p95, ceiling: 1}]\n",
                "guard metric",
                "latency_p95",
                "latency_p95_s",
                9,
            ),
        ],
    )
    def test_an_unknown_name_has_the_nearest_known_one_and_its_line(
        self, load: Load, more: str, kind: str, name: str, nearest: str, line: int
    ) -> None:
        with pytest.raises(UnknownNameError) as caught:
            load(BASE + more)

        assert (caught.value.kind, caught.value.name, caught.value.nearest) == (kind, name, nearest)
        assert f"line {line}" in str(caught.value)

    def test_a_wrong_rule_is_named_with_its_line(self, refused: Callable[[str], SpecError]) -> None:
        error = refused(BASE + "rule:\n  kind: noninferiority\n  margin: 2\n")

        assert (error.key, error.line) == ("rule.margin", 10)
