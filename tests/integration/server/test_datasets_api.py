"""Datasets over HTTP: made, edited, found, compared and taken out again; and all or nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from boxscore.datasets import Example, load_dataset
from serving import JSON, Answer, Server

BYTES = {"content-type": "application/octet-stream"}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "![](https://example.org/x.png)",
    "\u202egnp.exe",
    "=cmd|' /C calc'!A0",
]


@pytest.fixture(autouse=True)
def none_left(server: Server) -> Iterator[None]:
    yield
    for line in server.ask("/api/v1/datasets?archived=true").json["items"]:
        server.ask(path(line["name"]), method="DELETE")


def path(name: str, *below: str) -> str:
    return "/".join(("/api/v1/datasets", name, *below))


def post(server: Server, where: str, body: object, *, method: str = "POST") -> Answer:
    return server.ask(where, json.dumps(body).encode(), JSON, method=method)


def lines(count: int, *, first: int = 0) -> bytes:
    rows = ({"id": f"e{n}", "inputs": {"q": f"question {n}"}} for n in range(first, first + count))
    return "\n".join(map(json.dumps, rows)).encode()


def put(server: Server, name: str, body: bytes, query: str = "filename=rows.jsonl") -> Answer:
    return server.ask(f"{path(name, 'import')}?{query}", body, BYTES)


def rows(server: Server, name: str, query: str = "", version: str = "head") -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    cursor = ""
    while True:
        page = server.ask(f"{path(name, 'versions', version, 'examples')}?{query}&limit=7{cursor}").json
        found += (item["example"] for item in page["items"])
        if page["cursor"] is None:
            return found
        cursor = f"&cursor={page['cursor']}"


def test_a_file_becomes_a_version_with_the_hash_that_it_has_by_itself(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines(20))

    made = put(server, "d", file.read_bytes())

    assert made.status == 201
    assert made.json["version"]["version"] == load_dataset(file).version
    assert [row["id"] for row in rows(server, "d")] == [f"e{n}" for n in range(20)]
    [line] = server.ask("/api/v1/datasets").json["items"]
    assert (line["name"], line["head"]["examples"], line["head"]["created_by"]) == ("d", 20, "local")
    assert server.ask(path("d")).json["detectable"] > 0.3


def test_an_edit_on_a_version_that_is_not_the_newest_hears_what_changed(server: Server) -> None:
    put(server, "d", lines(3))
    first = post(server, path("d", "versions"), {"base": 1, "put": [{"id": "e1", "inputs": {}}], "remove": ["e2"]})
    second = post(server, path("d", "versions"), {"base": 1, "put": [{"inputs": {"q": "new"}}]})

    assert (first.status, first.json["version"]["number"]) == (201, 2)
    assert second.status == 409
    error = second.json["error"]
    assert (error["code"], error["head"], error["changed"], error["removed"]) == ("dataset_moved", 2, ["e1"], ["e2"])
    assert len(rows(server, "d")) == 2


def test_two_versions_are_compared_and_the_older_brought_back(server: Server) -> None:
    first = put(server, "d", lines(3)).json["version"]
    put(server, "d", lines(3, first=1))

    diff = server.ask(f"{path('d', 'diff')}?before=1&after=head").json
    back = post(server, path("d", "restore"), {"number": 1, "base": 2}).json["version"]

    assert diff["changes"] == {"added": 1, "changed": 0, "removed": 1}
    assert [(item["id"], item["before"] is None, item["after"] is None) for item in diff["items"]] == [
        ("e0", False, True),
        ("e3", True, False),
    ]
    assert (back["number"], back["version"]) == (3, first["version"])
    versions = server.ask(f"{path('d', 'versions')}?limit=2").json
    assert [one["number"] for one in versions["items"]] == [3, 2]
    older = server.ask(f"{path('d', 'versions')}?limit=2&cursor={versions['cursor']}").json
    assert [one["number"] for one in older["items"]] == [1]


def test_rows_are_found_by_text_and_by_fields(server: Server) -> None:
    put(server, "d", lines(30) + b'\n{"id": "g", "inputs": {"q": "QUESTION 3"}, "slices": {"lang": "de"}}')

    assert [row["id"] for row in rows(server, "d", "text=question%203&where=slices.lang%3Dde")] == ["g"]
    assert [row["id"] for row in rows(server, "d", "text=question%2029")] == ["e29"]
    assert server.ask(path("d", "versions", "1", "examples", "g")).json["slices"] == {"lang": "de"}
    assert server.ask(path("d", "versions", "1", "examples", "none")).status == 404


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_hostile_text_comes_back_as_the_text_it_was(server: Server, tmp_path: Path, form: str) -> None:
    given = [
        Example(id=f"h{n}", inputs={"q": text}, reference=text, slices={"s": text}) for n, text in enumerate(HOSTILE)
    ]
    body = "\n".join(
        json.dumps({"id": e.id, "inputs": e.inputs, "reference": e.reference, "slices": e.slices}) for e in given
    ).encode()
    put(server, "d", body)

    answer = server.ask(f"{path('d', 'versions', 'head', 'export')}?form={form}")
    (tmp_path / f"out.{form}").write_bytes(answer.body)

    assert answer.status == 200
    assert "text/html" not in answer.headers["content-type"]
    assert answer.headers["content-disposition"] == f'attachment; filename="d-1.{form}"'
    assert load_dataset(tmp_path / f"out.{form}").examples == tuple(given)


def test_a_file_is_looked_at_before_it_is_imported(server: Server) -> None:
    put(server, "d", lines(3))
    bad = lines(2) + b'\n{"imputs": {}}\n{"id": "e0", "inputs": {}}'

    looked = server.ask(f"{path('d', 'look')}?filename=x/..\\rows.jsonl", bad, BYTES).json
    fine = server.ask(f"{path('d', 'look')}?filename=rows.jsonl", lines(2, first=2), BYTES).json
    refused = put(server, "d", bad)

    assert [problem["line"] for problem in looked["looked"]["problems"]] == [3, 4]
    assert looked["changes"] is None
    assert fine["changes"] == {"added": 1, "changed": 0, "removed": 2}
    assert (refused.status, refused.json["error"]["line"]) == (400, 3)
    assert "upload" not in refused.body.decode()
    assert server.ask(path("d")).json["dataset"]["head"]["number"] == 1


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("filename=rows.exe", b"{}", "ending .exe is not known"),
        ("filename=rows", b"{}", "is not known"),
        ("filename=rows.parquet", b"no parquet", "no readable Parquet"),
        ("filename=rows.csv", b"a,a\n1,2", "stands twice"),
        ("filename=rows.jsonl", b"", "is empty"),
        ("filename=rows.jsonl", b"\xff\xfe", "UTF-16"),
    ],
)
def test_what_is_no_dataset_is_refused_in_a_sentence(server: Server, query: str, body: bytes, said: str) -> None:
    answer = put(server, "d", body, query)

    assert answer.status == 400
    assert said in answer.json["error"]["message"]
    assert server.ask("/api/v1/datasets").json["items"] == []


@pytest.mark.parametrize("name", ["a.b", "%2e%2e", "a%20b", "x" * 101, "-a", "d%00"])
def test_a_name_that_could_be_a_file_or_worse_is_refused(server: Server, name: str) -> None:
    assert put(server, name, lines(1)).status in (400, 404)
    assert server.ask("/api/v1/datasets").json["items"] == []


def test_archived_datasets_are_out_of_the_list_and_deleted_ones_gone(server: Server) -> None:
    put(server, "d", lines(1))

    archived = post(server, path("d"), {"archived": True}, method="PATCH").json
    assert archived["archived_at"] is not None
    assert server.ask("/api/v1/datasets").json["items"] == []
    assert put(server, "d", lines(2)).status == 409
    assert (
        post(server, path("d"), {"archived": False, "description": "ours"}, method="PATCH").json["archived_at"] is None
    )
    assert server.ask("/api/v1/datasets").json["items"][0]["description"] == "ours"

    assert server.ask(path("d"), method="DELETE").status == 204
    assert server.ask(path("d")).status == 404


def test_traces_become_rows_once(server: Server) -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for n in range(6):
        span = spans.add(
            trace_id=bytes([n + 1]) * 16, span_id=b"12345678", name="chat", start_time_unix_nano=10**18 + n
        )
        span.attributes.add(key="input.value").value.string_value = f"question {n % 4} {HOSTILE[0]}"
        span.attributes.add(key="output.value").value.string_value = "answer"
    assert server.send(request.SerializeToString()).status == 200
    asked = {"selection": {"filter": ["name=chat"]}, "mapping": {"reference": "output"}}

    looked = post(server, path("d", "traces"), {**asked, "look": True})
    made = post(server, path("d", "traces"), asked)
    again = post(server, path("d", "traces"), asked)

    assert looked.json["version"] is None
    assert made.json["taken"] == {"spans": 6, "rows": 4, "duplicates": 2, "without_input": 0, "references": 4}
    assert (again.json["taken"]["rows"], again.json["version"]) == (0, None)
    row = rows(server, "d")[0]
    assert row["reference"] == "answer"
    assert HOSTILE[0] in row["inputs"]["input"]
    trace = post(server, path("d", "traces"), {"selection": {"spans": [{"trace_id": "ff" * 16}]}})
    assert trace.status == 404
