"""What the page on costs shows is what happens."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from boxscore.cli.prices import prices
from boxscore.costs import DIALECTS, PriceBook

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "costs.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_python_example_prints_what_it_says() -> None:
    (code,) = blocks("python")
    said = io.StringIO()

    with contextlib.redirect_stdout(said):
        exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102

    assert said.getvalue().strip() == code.rpartition("# ")[2].strip()


def test_the_example_tables_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix, count in (("yaml", 6), ("csv", 2)):
        (text,) = blocks(suffix)
        table = tmp_path / f"prices.{suffix}"
        table.write_text(text)

        book = PriceBook.load(table)

        assert book.own is not None
        assert len(book.own.entries) == count


def test_the_first_console_example_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path))
    command, _, shown = blocks("console")[0].partition("\n")

    out = CliRunner().invoke(prices, command.split()[3:]).stdout

    assert out.strip() == shown.strip()


def test_every_dialect_that_is_named_on_the_page_exists() -> None:
    assert {"anthropic", "gemini", "bedrock", "bedrock-titan", "cohere", "x-ai", "perplexity", "ollama"} <= set(
        DIALECTS
    )
