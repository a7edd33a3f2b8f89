"""`boxscore traces`: what a person sees of the calls of an application, at 80 columns and at 120."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import desk
import pytest
from syrupy.assertion import SnapshotAssertion

from boxscore.cli import main
from boxscore.cli.traces.ink import Ink
from boxscore.cli.traces.snippet import snippet
from boxscore.errors import OperationError
from boxscore.store.spans import Page, SpanRow, SqliteSpans, StoredSpan, TraceSummary
from boxscore.text import cells

NOW_NS = 1_790_000_000 * 10**9  # 2026-09-21 14:13:20 UTC
Run = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return desk.fill(tmp_path_factory.mktemp("desk"), NOW_NS)


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs `boxscore traces` at the time of the traces and gives what it printed."""
    monkeypatch.setenv("BOXSCORE_HOME", str(home))
    monkeypatch.setattr(time, "time_ns", lambda: NOW_NS)

    def traces(*arguments: str, columns: int = 80, exit_code: int = 0) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as left:
            main(["traces", *arguments])
        said = capsys.readouterr()
        assert left.value.code == exit_code, said.err
        return said.err if exit_code else said.out

    return traces  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "asked",
    [
        ("list",),
        ("list", "--spans", "-f", "operation=chat"),
        ("show",),
        ("show", desk.FAILED[:6]),
        ("show", desk.ODD),
        ("show", "8c1f", "--conversation"),
        ("show", "8c1f", "--span", "8ff3"),
        ("search", "two invoices", "REFUND"),
        ("sessions",),
        ("sessions", "s-2210"),
        ("stats",),
        ("stats", "--by", "operation", "-f", "application=support-desk"),
        ("stats", "--by", "model", "--by", "error", "--measure", "count", "--measure", "p95(duration_ns)"),
    ],
    ids=" ".join,
)
def test_what_is_printed(run: Run, snapshot: SnapshotAssertion, asked: tuple[str, ...], columns: int) -> None:
    printed = run(*asked, columns=columns)

    assert max(cells(line) for line in printed.splitlines()) <= columns
    assert "\x1b" not in printed
    assert re.sub(r"@\d[\d.]+", "@VERSION", printed) == snapshot


def in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ink, "of_terminal", lambda: Ink(True))
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda stream, color: False)


@pytest.mark.parametrize(
    "asked", [("list",), ("show", "5d20"), ("show", "8c1f"), ("show", "--conversation"), ("sessions",), ("stats",)]
)
def test_colours_change_nothing_but_the_look(run: Run, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]) -> None:
    plain = run(*asked)
    in_colour(monkeypatch)
    coloured = run(*asked)

    assert "\x1b[1m" in coloured or "\x1b[2m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_a_hit_is_marked_with_and_without_colour(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "for the «second invoice» of May" in run("search", "SECOND invoice")
    in_colour(monkeypatch)

    assert "for the \x1b[1m\x1b[38;5;32msecond invoice\x1b[0m\x1b[0m of May" in run("search", "SECOND invoice")


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("Ihre Änderung, bitte", "anderung", "Ihre «Änderung», bitte"),
        ("ein CAFÉ am Eck", "café", "ein «CAFÉ» am Eck"),
        ("red redder red", "red", "«red» redder «red»"),
        ("two, invoices", '"two invoices"', "«two, invoices»"),
        ("x" * 100 + " word " + "y" * 100, "word", f"…«word» {'y' * 31}…"),
        ("nothing", "word", None),
    ],
)
def test_a_snippet_shows_the_place_of_a_hit(text: str, asked: str, found: str | None) -> None:
    assert snippet(text, asked, 40, Ink(False)) == found


def test_a_command_that_is_misspelt_is_named_with_the_nearest(run: Run) -> None:
    assert "did you mean 'search'?" in run("serach", exit_code=2)


@pytest.mark.parametrize("columns", [20, 60, 200, 1000])
def test_any_width_of_a_terminal_has_room(run: Run, columns: int) -> None:
    for asked in (("list",), ("show",), ("show", "--conversation"), ("stats",), ("sessions",), ("search", "invoice")):
        assert max(cells(line) for line in run(*asked, columns=columns).splitlines()) <= max(60, min(columns, 160))


def test_filters_all_have_to_hold(run: Run) -> None:
    assert "10 traces" in run("list")
    assert "1 trace:" in run("list", "-f", "error=true")
    assert "No trace fits" in run("list", "-f", "error=true", "-f", "user=u_83")
    assert "2 traces" in run("list", "-f", "session=s-2210")
    assert "see them with --spans" in run("list", "-f", "operation=embeddings")
    assert "1 span:" in run("list", "--spans", "-f", "operation=embeddings")
    assert "No span fits" in run("list", "--spans", "-f", "model=none")


def test_times_are_written_as_people_write_them(run: Run) -> None:
    assert "2 traces" in run("list", "--since", "2m")
    assert "1 trace:" in run("list", "--since", "2m", "--until", "20s")
    assert "10 traces" in run("list", "--since", "2026-09-21")
    assert "10 traces" in run("list", "--since", "2026-09-21T10:00+02:00", "--until", "2026-09-22")
    assert "is no time: write how long ago" in run("list", "--since", "yesterday-ish", exit_code=2)


@pytest.mark.parametrize("command", [("list",), ("search", "refund")])
def test_times_beyond_all_spans_leave_nothing_out(run: Run, command: tuple[str, ...]) -> None:
    assert run(*command, "--since", "0001-01-01", "--until", "9999-12-31") == run(*command)
    assert run(*command, "--since", "9999999999999w") == run(*command)


@pytest.mark.parametrize(
    "arguments", [("list", "-f", "user=\udcff"), ("search", "\udcff"), ("sessions", "\udcff"), ("show", "\udcff")]
)
def test_what_is_no_text_is_the_askers_fault(run: Run, arguments: tuple[str, ...]) -> None:
    assert "a fault of Boxscore itself" not in run(*arguments, exit_code=2)


def test_pages_of_a_list_follow_each_other(run: Run) -> None:
    seen: list[str] = []
    page = json.loads(run("list", "--limit", "4", "--json"))
    while True:
        seen += [trace["entry"]["trace_id"] for trace in page["items"]]
        if page["cursor"] is None:
            break
        page = json.loads(run("list", "--limit", "4", "--json", "--cursor", page["cursor"]))

    assert len(seen) == len(set(seen)) == 10
    assert seen[0] == desk.TRACE


def test_a_tree_goes_on_where_a_page_of_it_ended(run: Run) -> None:
    whole = run("show", "8c1f").splitlines()
    first = run("show", "8c1f", "--limit", "6").splitlines()
    rest = run("show", "8c1f", "--limit", "6", "--cursor", "6").splitlines()

    assert first + rest[1:] == whole
    assert [line[:7] for line in whole[-3:]] == ["Prices:", "genai-p", "genai-p"]


def test_a_folder_without_traces_says_how_the_first_one_comes(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path))

    for asked in (("list",), ("sessions",), ("stats",), ("search", "word")):
        printed = run(*asked)
        assert "boxscore serve" in printed
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" in printed
        assert f"No server runs for this folder, {tmp_path};" in printed
    assert "there is no trace" in run("show", exit_code=2)
    assert "there is no session" in run("sessions", "s-1", exit_code=2)
    assert list(tmp_path.iterdir()) == []


def test_an_id_may_be_its_beginning_where_only_one_begins_so(run: Run) -> None:
    assert "nightly_digest" in run("show", "0b7e")
    assert "2 traces begin with 1" not in run("show", "11", "--json")
    assert re.search(r"\d traces begin with 1: ", run("show", "1", exit_code=2))
    assert "there is no trace abcdef" in run("show", "abcdef", exit_code=2)
    assert "is no id of a trace" in run("show", "nightly", exit_code=2)
    assert "there is no span ffff" in run("show", "8c1f", "--span", "ffff", exit_code=2)


def test_json_has_attributes_as_they_came_and_the_messages_apart(run: Run) -> None:
    page = json.loads(run("show", "8c1f", "--json"))
    draft = next(span for span in page["items"] if span["span_id"].startswith("8ff3"))
    talk = json.loads(run("show", "8c1f", "--conversation", "--json"))

    assert draft["attributes"]["gen_ai.usage.cache_read.input_tokens"] == 2048
    assert draft["resource"]["service.name"] == "support-desk"
    assert draft["price"].startswith("genai-prices/anthropic/")
    roles = "user assistant system user assistant tool assistant"
    assert [message["role"] for message in talk] == roles.split()
    assert talk[4]["parts"] == [
        {"type": "tool_call", "name": "invoices", "arguments": {"month": "2025-05"}, "id": "c1"}
    ]


def test_a_score_is_kept_and_found_and_a_later_one_takes_its_place(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = desk.fill(tmp_path / "scored", NOW_NS)
    monkeypatch.setenv("BOXSCORE_HOME", str(other))

    run("score", "8c1f", "helpful", "0.4")
    monkeypatch.setattr(time, "time_ns", lambda: NOW_NS + 1)
    run("score", "8c1f", "helpful", "0.9", "--comment", "polite")
    run("score", "8c1f", "tone", "friendly", "--span", "8ff3")

    printed = run("show", "8c1f")
    assert "score helpful 0.9 (human)" in printed
    assert "score tone friendly (human)" in printed
    assert "0.4" not in printed
    assert "1 trace:" in run("list", "-f", "score.helpful>=0.8")
    (score, _) = sorted(json.loads(run("show", "8c1f", "--json"))["scores"], key=lambda one: one["name"])
    assert (score["comment"], score["source"]) == ("polite", "human")


HOSTILE = "\x1b[2J\x1b]0;owned\x07\x1b[31mred\u202etxt.exe\u2066\x00\x9b1m\r\nforged line\u200b\U000e0041"

ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in which every text of a trace tries to take over the terminal."""
    fields: dict[str, Any] = dict.fromkeys(
        (
            *("name", "status_message", "step", "application", "environment", "release", "session", "user"),
            *("model", "model_asked", "provider", "fingerprint", "prompt", "prompt_version", "variant", "graph"),
        ),
        HOSTILE,
    )
    span = SpanRow(
        trace_id=b"\x01" * 16,
        span_id=b"\x02" * 8,
        start_ns=NOW_NS - 10**9,
        duration_ns=5,
        entry=True,
        error=True,
        input_text=f"word {HOSTILE}",
        output_text=f"{HOSTILE} word",
        metadata={HOSTILE: HOSTILE},
        **fields,
    )
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW_NS) as store:
        store.put("default", [span]).result()
        store.catch_up()
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path))


def test_no_text_of_a_span_can_do_anything_to_a_terminal(run: Run, hostile: None) -> None:
    for asked in (
        ("list",),
        ("show",),
        ("show", "--conversation"),
        ("show", "--span", "02"),
        ("show", "--span", "02", "--full"),
        ("search", "word"),
        ("sessions",),
        ("stats",),
        ("stats", "--by", "user"),
        ("stats", "--by", "name", "--measure", "count"),
    ):
        for columns in (80, 120):
            printed = run(*asked, columns=columns)
            assert not re.search(
                "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", printed
            )
            assert not any(line.startswith("forged") for line in printed.splitlines()), asked


def test_tail_goes_on_when_its_server_is_back(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Restarting(SqliteSpans):
        happens = iter(("there", "away", "away", "there", "Ctrl-C"))

        def traces(self, *asked: Any, **more: Any) -> Page[TraceSummary]:
            match next(self.happens):
                case "away":
                    raise OperationError("the server does not answer.")
                case "Ctrl-C":
                    raise KeyboardInterrupt
                case _:
                    return super().traces(*asked, **more)

    monkeypatch.setattr("boxscore.cli.traces.tail.opened", lambda: Restarting(home, write=False))
    monkeypatch.setattr("boxscore.cli.traces.tail.EVERY_S", 0)
    with pytest.raises(SystemExit) as left:
        main(["traces", "tail"])

    assert left.value.code == 0
    assert capsys.readouterr().err.strip() == "the server does not answer. It is asked on; Ctrl-C ends it."


def test_a_trace_of_fifty_thousand_spans_is_shown_a_page_at_a_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Huge(SqliteSpans):
        def trace(self, project: str, trace_id: bytes, *, limit: int = 1000, cursor: str | None = None) -> Any:
            from boxscore.store.spans import Page

            first = int(cursor or 0)
            asked.append(limit)
            items = [
                StoredSpan(
                    trace_id=trace_id,
                    span_id=n.to_bytes(8, "big"),
                    parent_id=(n - 1).to_bytes(8, "big") if n % 100 else None if n == 0 else bytes(8),
                    name=f"s{n}",
                    start_ns=NOW_NS + n,
                    duration_ns=1,
                    input_text="x" * 100_000 if n % 1000 == 0 else "",
                    received_ns=NOW_NS,
                )
                for n in range(first, min(first + limit, 50_000))
            ]
            return Page(items=items, cursor=str(first + limit) if first + limit < 50_000 else None)

    monkeypatch.setattr("boxscore.client.spans.SqliteSpans", Huge)
    lines = run("show", "ab" * 16).splitlines()

    assert max(asked) <= 1000
    assert "50,000 spans" in "\n".join(lines)
    assert len(lines) < 220
    assert "s49999" in run("show", "ab" * 16, "--cursor", "49900")
