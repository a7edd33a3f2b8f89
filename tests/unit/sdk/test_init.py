"""`boxscore.init`: where to, beside what, and never in the application's way."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import boxscore
from boxscore.errors import SpecError
from boxscore.sdk import SpanRecorder, options
from boxscore.sdk.instrumentors import switch_on
from boxscore.sdk.parcel import Parcel
from boxscore.sdk.post import _read, _retry_after  # pyright: ignore[reportPrivateUsage]

SOURCES = Path(boxscore.__file__).parent


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "BOXSCORE_")):
            monkeypatch.delenv(name)


def run(code: str, folder: Path, **variables: str) -> Any:
    """What the code prints as JSON, in a process of its own, with `taken`: what the SDK would have sent."""
    before = (
        "import json, logging, sys; logging.basicConfig(format='%(message)s', stream=sys.stderr)\n"
        "from boxscore.sdk import post\n"
        "taken = []\n"
        "def send(self, parcel, timeout_s=None):\n"
        "    taken.append((self._target.url(parcel.kind), parcel)); return post.Outcome('taken')\n"
        "post.Post.__call__ = send\n"
        "import boxscore\n"
        "from boxscore.tracing import Normaliser, read_protobuf\n"
        "def rows():\n"
        "    bodies = [parcel.body for _, parcel in taken if parcel.kind == 'spans']\n"
        "    return [Normaliser()(span) for body in bodies for span in read_protobuf(body).spans]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", before + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=os.environ | {"BOXSCORE_HOME": str(folder), **variables},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


@pytest.mark.parametrize(
    ("url", "variables", "spans", "scores"),
    [
        (None, {}, "http://127.0.0.1:8400/v1/traces", "http://127.0.0.1:8400/api/v1/scores"),
        ("https://b.example/", {}, "https://b.example/v1/traces", "https://b.example/api/v1/scores"),
        ("http://b/v1/traces", {}, "http://b/v1/traces", "http://b/api/v1/scores"),
        (
            None,
            {"BOXSCORE_URL": "http://own:1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:2"},
            "http://own:1/v1/traces",
            "http://own:1/api/v1/scores",
        ),
        (
            None,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:2/base/"},
            "http://other:2/base/v1/traces",
            "http://other:2/base/api/v1/scores",
        ),
        (
            None,
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://exact:3/in"},
            "http://exact:3/in",
            "http://exact:3/in/api/v1/scores",
        ),
    ],
)
def test_the_address_comes_from_the_argument_then_the_variables(
    monkeypatch: pytest.MonkeyPatch, url: str | None, variables: Mapping[str, str], spans: str, scores: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    target = options.target(url, None)

    assert (target.spans_url, target.scores_url) == (spans, scores)


def test_headers_are_read_as_opentelemetry_writes_them_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20sesame,x-team=a")

    target = options.target(None, {"x-team": "b"})

    assert target.headers == (("authorization", "Bearer sesame"), ("x-team", "b"))
    assert "sesame" not in repr(target)


def test_what_waits_for_one_server_is_not_sent_to_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path))
    targets = [
        options.target("http://a", None),
        options.target("http://b", None),
        options.target("http://a", {"k": "1"}),
    ]

    assert len({options.spool_folder(target) for target in targets}) == 3


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match="is no address"):
        options.target("127.0.0.1:8400", None)


def test_a_key_that_was_read_with_its_line_break_is_sent_without() -> None:
    assert options.target("http://a", {"authorization": "Bearer k-1\n"}).headers == (("authorization", "Bearer k-1"),)


@pytest.mark.parametrize(
    "headers", [{"authorization": "k-1\r\nx: y"}, {"authorization": "k-1 \u2013"}, {"": "k-1"}, {"a b": "k-1"}]
)
def test_a_header_that_is_none_is_refused_and_its_value_not_shown(headers: dict[str, str]) -> None:
    with pytest.raises(SpecError, match="cannot be sent") as refused:
        options.target("http://a", headers)
    assert "k-1" not in str(refused.value)


def test_a_wrong_address_is_one_line_of_the_log_and_the_application_runs(tmp_path: Path) -> None:
    said = run("boxscore.init('nowhere')\nassert boxscore.trace(len)('four') == 4\nassert boxscore.flush()", tmp_path)

    assert said.startswith("nothing is traced: key 'url': 'nowhere' is no address")


def test_who_speaks_goes_with_every_span(tmp_path: Path) -> None:
    code = (
        "boxscore.init(service='shop', environment='prod', release='1.2', instrument=False)\n"
        "boxscore.init(service='another')\n"
        "boxscore.trace(len)('four'); boxscore.flush(); (row,) = rows()\n"
        "print(json.dumps([row.application, row.environment, row.release, taken[0][0]]))"
    )

    assert run(code, tmp_path) == ["shop", "prod", "1.2", "http://127.0.0.1:8400/v1/traces"]
    code = code.replace("service='shop', environment='prod', release='1.2', ", "")
    variables = {
        "OTEL_SERVICE_NAME": "mall",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=7,deployment.environment=dev",
    }
    assert run(code, tmp_path, **variables)[:3] == ["mall", "dev", "7"]


def test_a_provider_of_the_application_stays_and_gets_one_more_destination(tmp_path: Path) -> None:
    code = (
        "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "mine = InMemorySpanExporter(); provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(mine)); trace.set_tracer_provider(provider)\n"
        "boxscore.init(environment='prod', instrument=False)\n"
        "assert trace.get_tracer_provider() is provider\n"
        "with boxscore.context(user='ada'), trace.get_tracer('theirs').start_as_current_span('plain'):\n"
        "    boxscore.trace(len)('four')\n"
        "boxscore.flush()\n"
        "theirs = [span.name for span in mine.get_finished_spans()]\n"
        "print(json.dumps([theirs, [[row.name, row.environment, row.user] for row in rows()]]))"
    )

    theirs, ours = run(code, tmp_path)
    assert theirs == ["len", "plain"]
    assert ours == [["len", "prod", "ada"], ["plain", "prod", "ada"]]


def test_disabled_by_opentelemetrys_variable_nothing_happens(tmp_path: Path) -> None:
    code = "boxscore.init(); boxscore.trace(len)('four'); boxscore.flush(); print(json.dumps(len(taken)))"

    assert run(code, tmp_path, OTEL_SDK_DISABLED="true") == 0


def test_seeding_the_random_numbers_does_not_repeat_ids(tmp_path: Path) -> None:
    code = (
        "import random; boxscore.init(instrument=False)\n"
        "ids = set()\n"
        "for _ in range(3):\n"
        "    random.seed(1)\n"
        "    with boxscore.trace('a') as span: ids.add(span.trace_id)\n"
        "print(json.dumps(len(ids)))"
    )

    assert run(code, tmp_path) == 3


def test_inputs_are_kept_out_redacted_or_cut_by_init(tmp_path: Path) -> None:
    code = (
        "boxscore.init(instrument=False, outputs=False, limit=40, redact=lambda value: '<' + str(value)[:8] + '>')\n"
        "@boxscore.trace\n"
        "def f(a):\n    raise ValueError('my password')\n"
        "try: f('secret')\n"
        "except ValueError: pass\n"
        "boxscore.flush(); (row,) = rows()\n"
        "print(json.dumps([row.input_text, row.status_message, b'my password' in row.raw]))"
    )

    assert run(code, tmp_path) == ["<{'a': 's>", "ValueError: <my passw>", False]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None), (None, None), ("9999", 300)],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert _retry_after(value) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [(status, "refused") for status in (307, 400, 401, 404, 413, 500)]
    + [(status, "later") for status in (429, 502, 503, 504)],
)
def test_sent_again_is_only_what_the_protocol_says(status: int, kind: str) -> None:
    assert _read(Parcel("spans", 3, 0, b""), status, {}, b"").kind == kind


def test_a_partial_success_counts_what_was_rejected() -> None:
    answer = b"\x0a\x06\x08\x02\x12\x02no"
    headers = {"Content-Type": "application/x-protobuf"}

    outcome = _read(Parcel("spans", 3, 0, b""), 200, headers, answer)

    assert (outcome.kind, outcome.refused, outcome.why) == ("taken", 2, "no")
    assert _read(Parcel("spans", 3, 0, b""), 200, headers, b"\xff\xff\xff").kind == "later"


class Entry:
    def __init__(self, name: str, kind: type) -> None:
        self.name = name
        self._kind = kind

    def load(self) -> type:
        return self._kind


class Instrumentor:
    on: list[object] = []  # noqa: RUF012

    def instrument(self, *, tracer_provider: object) -> None:
        self.on.append((type(self).__name__, tracer_provider))


class Broken(Instrumentor):
    def instrument(self, *, tracer_provider: object) -> None:
        raise ImportError("cannot import name 'x' from 'y'\nand more")


class Other(Instrumentor):
    pass


class Alone(Instrumentor):
    def __init__(self) -> None:
        raise ModuleNotFoundError("No module named 'redis'", name="redis")


class Lonely(Instrumentor):
    def _check_dependency_conflicts(self) -> str:
        return "what it instruments is not installed"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "openinference_instrumentor": [Entry("openai", Instrumentor)],
        "opentelemetry_instrumentor": [
            Entry("openai", Other),
            Entry("broken", Broken),
            Entry("redis", Other),
            Entry("lonely", Lonely),
            Entry("alone", Alone),
        ],
    }
    monkeypatch.setattr("boxscore.sdk.instrumentors.entry_points", lambda group: entries[group])
    monkeypatch.setattr("boxscore.sdk.notices._told", {})
    Instrumentor.on.clear()


@pytest.mark.usefixtures("installed")
def test_all_instrumentors_are_switched_on_one_for_each_library(caplog: pytest.LogCaptureFixture) -> None:
    provider = SpanRecorder().provider

    assert switch_on(provider) == ["openai", "redis"]
    assert Instrumentor.on == [("Instrumentor", provider), ("Other", provider)]
    (line,) = caplog.messages
    assert line == "instrumentor 'broken' cannot be switched on: ImportError: cannot import name 'x' from 'y'"


@pytest.mark.usefixtures("installed")
def test_only_those_named_and_not_those_disabled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider = SpanRecorder().provider
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis, other")

    assert switch_on(provider, ["openai", "redis", "nope"]) == ["openai"]
    assert caplog.messages == ["no instrumentor is called 'nope'; installed are: alone, broken, lonely, openai, redis."]


def test_importing_loads_no_opentelemetry_and_tracing_not_its_sdk() -> None:
    code = (
        "import boxscore, sys; print('opentelemetry' in sys.modules)\n"
        "boxscore.trace; print('opentelemetry.sdk' in sys.modules, 'google.protobuf' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False", "False"]


def test_no_other_module_opens_connections_by_the_standard_library() -> None:
    found = [
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if re.search(r"^\s*(import|from) (http\.client|urllib\.request|ftplib|smtplib)", path.read_text(), re.MULTILINE)
    ]

    assert found == ["sdk/post.py"]
