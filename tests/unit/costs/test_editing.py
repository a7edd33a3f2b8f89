"""The file of own prices, changed by a program, stays what a person wrote."""

from decimal import Decimal
from pathlib import Path

import pytest

from boxscore.costs.editing import add_row, own_table, remove_row
from boxscore.errors import ConflictError, NotFoundError, SpecError

ROW = {"provider": "acme", "model": "acme-large", "usd_per_mtok": {"input": Decimal("0.1"), "output": Decimal("2.50")}}
WRITTEN = """\
# ours
prices:
  # agreed in May
  - model: acme-small
    usd_per_mtok: 1   # all of it

  # until the new contract
  - {model: acme-old, usd_per_mtok: 2}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "prices.yaml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def models(path: Path) -> list[str]:
    return [row.model for row in own_table(path).all_rows()]


def test_the_first_row_makes_the_file(path: Path) -> None:
    table = add_row(path, ROW)

    assert [row.rates["output"].base for row in table.all_rows()] == [Decimal("2.5")]
    assert own_table(path) == table
    assert path.read_text().startswith("# Own prices")


@pytest.mark.parametrize(
    "text", [WRITTEN, WRITTEN.rstrip(), "prices: []\n", "prices:\n", "", "- {model: a, usd_per_mtok: 1}\n"]
)
def test_a_row_is_added_at_the_end_and_the_rest_stays(path: Path, text: str) -> None:
    before = models(written(path, text)) if text.strip(" \nprices:[]") else []
    add_row(path, ROW)

    assert models(path) == [*before, "acme-large"]
    if before:
        assert path.read_text().startswith(text.rstrip())


def test_a_removed_row_leaves_what_is_said_about_the_next(path: Path) -> None:
    table = own_table(written(path, WRITTEN))
    remove_row(path, table.entries[0].line, version=table.version)

    assert models(path) == ["acme-old"]
    assert "# until the new contract" in path.read_text()
    table = own_table(path)
    remove_row(path, table.entries[0].line, version=table.version)
    assert models(path) == []
    assert add_row(path, ROW).entries


def test_a_file_that_changed_meanwhile_is_left_alone(path: Path) -> None:
    version = own_table(written(path, WRITTEN)).version
    add_row(path, ROW)
    with pytest.raises(ConflictError, match="meanwhile"):
        remove_row(path, 4, version=version)
    with pytest.raises(NotFoundError):
        remove_row(path, 5, version=own_table(path).version)


@pytest.mark.parametrize(("name", "text"), [("p.csv", "model,input,output\na,1,2\n"), ("p.json", '{"prices": []}')])
def test_what_is_not_yaml_is_edited_by_hand(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConflictError, match="by hand"):
        add_row(written(tmp_path / name, text), ROW)


def test_a_row_that_is_none_changes_nothing(path: Path) -> None:
    written(path, WRITTEN)
    with pytest.raises(SpecError):
        add_row(path, {"model": "x", "usd_per_mtok": {"inptu": 1}})

    assert path.read_text() == WRITTEN
