"""What is small to send and would be large to work out ends alone: the server answers on."""

import json
import time
import zlib

import pytest

from serving import JSON

ROWS = [{"id": str(n), "inputs": {"n": n}, "reference": "x"} for n in range(20)]
FILE = {"content-type": "application/octet-stream"}


def spec(prompt="say {{ n }}", **more):
    variant = {"provider": "tiny", "model": "tiny-1"}
    variants = {"a": {**variant, "prompt": prompt}, "b": {**variant, "prompt": f"b {prompt}"}}
    return {"dataset": ROWS, "variants": variants, "scorers": ["exact"], **more}


def post(server, path, body):
    return server.ask(f"/api/v1{path}", json.dumps(body).encode(), JSON)


def lives(server):
    assert server.process.poll() is None
    assert server.ask("/api/v1/health").status == 200
    assert server.memory_mb("VmHWM") < 400


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ '%30000000000d'|format(1) }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 34 + "{{ a|length }}",
        "{% for n in range(40000) %}" + "x" * 1_000_000 + "{% endfor %}",
    ],
    ids=["one large number", "doubled", "a long text often"],
)
@pytest.mark.parametrize("path", ["/comparisons/plan", "/comparisons", "/runs"])
def test_a_prompt_that_takes_all_the_memory_takes_none_of_the_servers(server, path, prompt):
    answer = post(server, path, spec(prompt))

    assert answer.status == 400, answer.body[:300]
    assert "memory" in answer.json["error"]["message"]
    lives(server)


@pytest.mark.parametrize("more", [{"repeats": 30_000_000}, {"repeats": 100_000}], ids=["far more", "more"])
@pytest.mark.parametrize("path", ["/comparisons/plan", "/comparisons", "/runs"])
def test_more_answers_than_anybody_pays_for_are_refused_before_they_are_counted(server, path, more):
    answer = post(server, path, spec(**more))

    assert (answer.status, answer.json["error"]["key"]) == (400, "repeats")
    lives(server)


@pytest.mark.parametrize("path", ["look", "import"])
def test_a_parquet_file_that_unfolds_to_more_than_the_memory_is_refused(server, tmp_path, path):
    pa, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 1024, pa.int32()), pa.array(["a" * 20_000_000]))
    rows = pa.table({"id": [str(n) for n in range(1024)], "q": one})
    parquet.write_table(rows, tmp_path / "a.parquet", compression="zstd")
    sent = (tmp_path / "a.parquet").read_bytes()
    assert len(sent) < 10_000

    answer = server.ask(f"/api/v1/datasets/shop/{path}?filename=a.parquet", sent, FILE)

    told = answer.json["looked"]["problems"][0] if path == "look" else answer.json["error"]
    assert (answer.status, "memory" in told["message"]) == (200 if path == "look" else 400, True), answer.body
    lives(server)
    assert server.ask("/api/v1/datasets/shop").status == 404


def test_bodies_are_not_unfolded_beyond_their_cap(server):
    packed = zlib.compress(b" " * 200_000_000, 9)
    answer = server.ask("/api/v1/datasets", packed, JSON | {"content-encoding": "deflate"})

    assert answer.status == 413
    lives(server)


def test_a_header_of_more_columns_than_anybody_has_is_refused_at_once(server):
    sent = b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n"
    began = time.monotonic()
    answer = server.ask("/api/v1/datasets/shop/look?filename=a.csv", sent, FILE)

    assert "1,000,000 columns" in answer.json["looked"]["problems"][0]["message"]
    assert time.monotonic() - began < 20
    lives(server)


def test_specs_are_checked_against_the_records_wherever_they_are(serve, place):
    started = serve(environment={"BOXSCORE_RECORDS_URL": place.url} if place.url else {})
    rows = {"base": 0, "put": [{"id": row["id"], "inputs": row["inputs"], "reference": "x"} for row in ROWS]}
    assert post(started, "/datasets", {"name": "shop"}).status == 201
    assert post(started, "/datasets/shop/versions", rows).status == 201

    planned = post(started, "/comparisons/plan", spec(dataset="shop"))
    unknown = post(started, "/comparisons/plan", spec(dataset="other"))

    assert (planned.status, planned.json["plan"]["examples"]) == (200, len(ROWS)), planned.body
    assert (unknown.status, unknown.json["error"]["name"]) == (404, "other"), unknown.body
