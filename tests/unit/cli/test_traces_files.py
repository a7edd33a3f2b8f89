"""`boxscore traces export` and `import`: spans in files, whole, safe to open, and the same when they come back."""

import csv
import json
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import desk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.cli import main
from boxscore.errors import StoreError
from boxscore.server.formats import defused
from boxscore.store.spans import Page, SpanRow, SqliteSpans, StoredSpan

NOW_NS = 1_790_000_000 * 10**9
Run = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return desk.fill(tmp_path / "home", NOW_NS)


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    monkeypatch.setenv("BOXSCORE_HOME", str(home))
    monkeypatch.setattr(time, "time_ns", lambda: NOW_NS)

    def traces(*arguments: object, exit_code: int = 0) -> str:
        with pytest.raises(SystemExit) as left:
            main(["traces", *map(str, arguments)])
        said = capsysbinary.readouterr()
        assert left.value.code == exit_code, said.err
        return (said.err if exit_code else said.out).decode()

    return traces


def spans(home: Path) -> Sequence[StoredSpan]:
    with SqliteSpans(home, write=False) as store:
        return store.spans("default", limit=1000, whole=True, oldest_first=True).items


def test_lines_of_json_have_every_span_with_its_attributes(run: Run, home: Path, tmp_path: Path) -> None:
    run("export", tmp_path / "spans.jsonl")

    told = [json.loads(line) for line in (tmp_path / "spans.jsonl").read_text().splitlines()]
    assert [one["span_id"] for one in told] == [span.span_id.hex() for span in spans(home)]
    assert all(one["resource"]["service.name"] for one in told)


def test_filters_choose_what_is_written(run: Run, tmp_path: Path) -> None:
    run("export", tmp_path / "failed.jsonl", "-f", "error=true", "--since", "1h")

    assert len((tmp_path / "failed.jsonl").read_text().splitlines()) == 2


def test_standard_output_is_a_file_too(run: Run) -> None:
    assert len(run("export", "-", "-f", "error=true").splitlines()) == 2
    assert run("export", "-", "--format", "csv").startswith("start,trace_id,")


def test_a_table_has_a_row_for_each_span(run: Run, home: Path, tmp_path: Path) -> None:
    run("export", tmp_path / "spans.csv")

    with (tmp_path / "spans.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stored = spans(home)
    assert [row["span_id"] for row in rows] == [span.span_id.hex() for span in stored]
    assert rows[0]["start"].startswith("2026-09-21T")
    for row, span in zip(rows, stored, strict=True):
        assert row["cost_usd"] == ("" if span.cost_usd is None else f"{span.cost_usd.normalize():f}")
        assert row["error"] == ("true" if span.error else "false")
        assert int(row["start_ns"]) == span.start_ns


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_no_cell_is_a_formula(run: Run, home: Path, tmp_path: Path, text: str) -> None:
    row = SpanRow(trace_id=b"t" * 16, span_id=b"s" * 8, name=text, start_ns=NOW_NS, user=text, input_text=text)
    with SqliteSpans(home) as store:
        store.put("default", [row]).result()

    run("export", tmp_path / "spans.csv", "--since", "1s")

    with (tmp_path / "spans.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert f"'{text}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))]


@given(st.text())
def test_only_what_begins_like_a_formula_is_changed(text: str) -> None:
    assert defused(text) in (text, f"'{text}")
    assert defused(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_parquet_has_types(run: Run, home: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run("export", tmp_path / "spans.parquet")

    table: Any = parquet.read_table(tmp_path / "spans.parquet")
    stored = spans(home)
    assert table["span_id"].to_pylist() == [span.span_id.hex() for span in stored]
    assert table["start"].cast("int64").to_pylist() == [span.start_ns for span in stored]
    assert sum(value or 0 for value in table["cost_usd"].to_pylist()) == sum(
        (span.cost_usd for span in stored if span.cost_usd is not None), Decimal(0)
    )


def test_a_format_that_nothing_tells_is_asked_for(run: Run, tmp_path: Path) -> None:
    assert "end it in .jsonl" in run("export", tmp_path / "spans", exit_code=2)
    assert "cannot be written" in run("export", tmp_path / "no" / "spans.csv", exit_code=2)


def test_what_was_exported_as_otlp_comes_back_the_same(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "spans.otlp.jsonl"
    run("export", file)
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "other"))

    run("import", file)
    run("import", file)

    def sent(folder: Path) -> list[tuple[object, ...]]:
        return [(span.raw, span.resource, span.scope, span.cost_usd, span.metadata) for span in spans(folder)]

    assert sent(tmp_path / "other") == sent(home)


def test_a_span_that_did_not_come_over_otlp_goes_out_over_it(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = SpanRow(trace_id=b"t" * 16, span_id=b"s" * 8, name="own", start_ns=NOW_NS, duration_ns=7, raw=b"\xff")
    with SqliteSpans(home) as store:
        store.put("default", [row]).result()
    run("export", tmp_path / "one.otlp.jsonl", "-f", "name=own")
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "other"))

    run("import", tmp_path / "one.otlp.jsonl")

    (span,) = spans(tmp_path / "other")
    assert (span.span_id, span.name, span.start_ns, span.duration_ns) == (b"s" * 8, "own", NOW_NS, 7)


def test_a_file_of_one_request_is_taken_in_and_its_faults_are_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "other"))
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "one", "startTimeUnixNano": str(NOW_NS)}
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [span, {**span, "traceId": "ab"}]}]}]}
    (tmp_path / "one.json").write_text(json.dumps(request, indent=2))
    (tmp_path / "text.json").write_text("hello\n")
    (tmp_path / "lines.json").write_text(json.dumps(request) + "\nhello\n")

    with pytest.raises(SystemExit):
        main(["traces", "import", str(tmp_path / "one.json")])
    assert (
        capsysbinary.readouterr()
        .err.decode()
        .startswith("1 span taken in\n1 span refused: 1 of the spans: a trace id is 16 bytes")
    )
    assert "holds no OTLP/JSON" in run("import", tmp_path / "text.json", exit_code=2)
    assert "lines.json, line 2" in run("import", tmp_path / "lines.json", exit_code=2)
    assert "it cannot be read" in run("import", tmp_path / "absent.json", exit_code=2)


class Stopping(SqliteSpans):
    """A store that fails after two pages."""

    left = 2

    def spans(self, *args: Any, **kwargs: Any) -> Page[StoredSpan]:
        if Stopping.left == 0:
            raise StoreError("the disk is gone")
        Stopping.left -= 1
        return super().spans(*args, **kwargs)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "otlp.jsonl"])
def test_an_export_that_was_stopped_goes_on_and_is_whole_in_the_end(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("boxscore.cli.traces.export.PAGE", 7)
    file, other = tmp_path / f"spans.{ending}", tmp_path / f"whole.{ending}"
    run("export", other)
    with monkeypatch.context() as patched:
        patched.setattr("boxscore.client.spans.SqliteSpans", Stopping)
        patched.setattr(Stopping, "left", 2)
        assert "the disk is gone" in run("export", file, exit_code=4)
    assert not file.exists()
    with (tmp_path / f"spans.{ending}.unfinished").open("ab") as unfinished:
        unfinished.write(b"half a li" * 100_000)  # what a kill leaves behind the last page

    run("export", file)

    assert file.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["home", file.name, other.name])


def test_another_question_begins_anew(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxscore.cli.traces.export.PAGE", 7)
    with monkeypatch.context() as patched:
        patched.setattr("boxscore.client.spans.SqliteSpans", Stopping)
        patched.setattr(Stopping, "left", 2)
        run("export", tmp_path / "spans.jsonl", exit_code=4)

    run("export", tmp_path / "spans.jsonl", "-f", "error=true")

    assert len((tmp_path / "spans.jsonl").read_text().splitlines()) == 2
