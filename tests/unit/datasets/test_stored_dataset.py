"""Specs that name a dataset of the store."""

import pytest

from boxscore.datasets import Example
from boxscore.datasets.names import Reference
from boxscore.datasets.versions import Datasets
from boxscore.errors import NotFoundError, SpecError, UnknownNameError
from boxscore.experiments.spec import load_spec
from boxscore.store.records import Records

SPEC = """
dataset: {dataset}
slices: [inputs.kind]
variants:
  today: {{provider: tiny, model: tiny-1, prompt: "{{{{ q }}}}"}}
scorers: [exact]
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("BOXSCORE_HOME", str(home))
    monkeypatch.delenv("BOXSCORE_RECORDS_URL", raising=False)
    with Records.open(home) as records:
        datasets = Datasets(records.database, "default")
        datasets.put("tickets", [Example(id="a", inputs={"q": "x", "kind": "one"}, reference="x")])
        datasets.put("tickets", [Example(id="b", inputs={"q": "y", "kind": "two"}, reference="y")])
    return home


def spec(tmp_path, dataset):
    path = tmp_path / "boxscore.yaml"
    path.write_text(SPEC.format(dataset=dataset))
    return load_spec(path)


@pytest.mark.parametrize(("written", "ids"), [("tickets", ["a", "b"]), ("tickets@1", ["a"]), ("tickets@2", ["a", "b"])])
def test_a_spec_reads_the_version_that_it_names(home, tmp_path, written, ids):
    dataset = spec(tmp_path, written).read_dataset()

    assert [example.id for example in dataset.examples] == ids
    assert dataset.name == "tickets"
    assert dataset.examples[0].slices == {"inputs.kind": "one"}


def test_a_spec_names_a_version_by_its_content(home, tmp_path):
    with Records.open(home) as records:
        first = Datasets(records.database, "default").version(Reference("tickets", 1)).version

    assert len(spec(tmp_path, f"tickets@{first}").read_dataset()) == 1


def test_a_name_that_is_not_there_is_said_with_the_nearest(home, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'tickets'"):
        spec(tmp_path, "ticket").read_dataset()
    with pytest.raises(NotFoundError, match="tickets@9"):
        spec(tmp_path, "tickets@9").read_dataset()


def test_a_file_is_never_taken_for_a_name_nor_a_name_for_a_file(home, tmp_path):
    (tmp_path / "tickets.jsonl").write_text('{"id": "file", "inputs": {"q": "z", "kind": "three"}}\n')

    assert [example.id for example in spec(tmp_path, "tickets.jsonl").read_dataset().examples] == ["file"]
    assert len(spec(tmp_path, "tickets").read_dataset()) == 2


def test_what_is_neither_is_refused_where_it_stands(tmp_path):
    with pytest.raises(SpecError, match=r"line 2, key 'dataset'.*no name for a dataset"):
        spec(tmp_path, '"my tickets"')
