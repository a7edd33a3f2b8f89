"""What a spec that is sent to a server may say, and what none may."""

import inspect

import msgspec
import pytest

from boxscore import settings
from boxscore.datasets import Example
from boxscore.errors import NotFoundError, ScorerError, SpecError, UnknownPriceError
from boxscore.experiments.jobs import checked, estimate
from boxscore.experiments.jobs_spec import Asked, AskedJudge, AskedVariant, prepare
from boxscore.experiments.judges.judge_spec import OWN_KEYS
from boxscore.experiments.spec import RuleKeys, SpecKeys
from boxscore.experiments.variant_spec import CommandKeys, HttpKeys, PromptKeys, PythonKeys
from boxscore.providers.response import Response
from boxscore.scoring.registry import NOWHERE, _factory, known_scorers, make_scorer
from boxscore.store.records import Records

ROWS = [{"inputs": {"n": n}, "reference": f"{n}"} for n in range(20)]
TINY = {"provider": "tiny", "model": "tiny-1", "prompt": "{{ n }}"}
SPEC = {"dataset": ROWS, "variants": {"a": TINY, "b": TINY | {"prompt": "again {{ n }}"}}, "scorers": ["exact"]}
JUDGE = TINY | {"question": "Is it right?"}
REFUSED = {
    "spec": {"prices"},
    "prompt": {"kind", "prompt_file", "base_url", "api", "api_key_env"},
    "http": {"url", "output_path", "usage_path", "cost_path", "model_path", "inputs_key", "headers", "headers_env"},
    "command": {"command", "reads"},
    "python": {"python", "identity"},
}
"""Keys of spec files that are not taken, and everybody who adds one has to say here or in `jobs_spec` which it is."""


@pytest.fixture
def records(tmp_path):
    with Records.open(tmp_path / "home") as opened:
        yield opened


def asked(**more):
    return msgspec.convert(SPEC | more, Asked)


def ready(records, **more):
    return prepare(asked(**more), records, settings.Settings(**more.pop("configured", {})))


def test_every_key_of_a_spec_file_is_taken_or_refused_on_purpose():
    own = {"variant", "fresh", "limit"}  # of the command line, not of the file
    variant = set(AskedVariant.__struct_fields__)
    assert set(Asked.__struct_fields__) == set(SpecKeys.__struct_fields__) - REFUSED["spec"] | own
    assert variant == set(PromptKeys.__struct_fields__) - REFUSED["prompt"]
    for keys, name in ((HttpKeys, "http"), (CommandKeys, "command"), (PythonKeys, "python")):
        assert set(keys.__struct_fields__) == {"kind", "model", "timeout_s", "usd_per_mtok"} | REFUSED[name]
    assert set(AskedJudge.__struct_fields__) == variant | set(OWN_KEYS)


@pytest.mark.parametrize("key", [*sorted({key for keys in REFUSED.values() for key in keys}), "api_key", "__class__"])
def test_no_refused_key_is_taken_anywhere(key):
    for spec in (
        {key: "x"},
        {"variants": SPEC["variants"] | {"a": TINY | {key: "x"}}},
        {"rule": {key: "x"}},
        *([] if key == "kind" else [{"judges": {"right": JUDGE | {key: "x"}}}]),
    ):
        if key == "kind" and "rule" in spec:
            assert "kind" in RuleKeys.__struct_fields__
            continue
        with pytest.raises(msgspec.ValidationError):
            asked(**spec)


def test_scorers_that_take_a_folder_are_those_that_were_looked_at():
    taking = {name for name in known_scorers() if "folder" in inspect.signature(_factory(name)).parameters}
    assert taking == {"all", "any", "checks", "function", "schema", "weighted"}


@pytest.mark.parametrize(
    "scorer",
    [
        "function:os:system",
        "function:./x.py:f",
        {"function": "os:system"},
        {"name": "function", "args": ["os:system"]},
        {"function": {"function": "os:system"}},
        'all:json,"function:os:system"',
        {"any": ["json", {"function": "os:system"}]},
        {"weighted": {"args": ["json", {"all": ["function:os:system"]}], "weights": [1, 1]}},
        "schema:/etc/passwd",
        {"schema": "../x.json"},
        {"schema": {"schema": "x.json"}},
        {"all": [{"schema": "/etc/hostname"}]},
    ],
)
def test_no_scorer_loads_code_or_reads_a_file(records, scorer):
    with pytest.raises((ScorerError, SpecError)) as refused:
        ready(records, scorers=[scorer])
    assert "sent to a server" in str(refused.value)


@pytest.mark.parametrize(
    "check", ["function:os:system", {"scorer": {"schema": "/etc/passwd"}}, {"all": ["function:a:b"]}]
)
def test_no_row_of_a_dataset_brings_a_scorer_that_does(check):
    scorer = make_scorer("checks", folder=NOWHERE)
    example = Example(id="1", inputs={}, metadata={"checks": [check]})
    with pytest.raises(ScorerError, match="sent to a server"):
        scorer.score(example, Response(output="x"))


def test_scorers_that_reach_nowhere_are_taken(records):
    scorers = [{"schema": {"schema": {"type": "object"}}}, {"all": ["exact", "json"]}, "checks", "number:tolerance=0.1"]
    assert len(ready(records, scorers=scorers).spec.scorers) == 4


@pytest.mark.parametrize("provider", ["ollama", "vllm", "azure", "http://127.0.0.1:1", "", "../tiny", "shop"])
def test_a_provider_is_one_of_the_servers_own(records, provider):
    with pytest.raises(SpecError, match="the server has no provider"):
        ready(records, variants=SPEC["variants"] | {"a": TINY | {"provider": provider}})
    with pytest.raises(SpecError, match=r"judges\.right\.provider"):
        ready(records, judges={"right": JUDGE | {"provider": provider}})


def test_a_provider_that_the_server_names_has_its_address_and_key_from_there(records, monkeypatch):
    monkeypatch.setenv("SHOP_API_KEY", "hush-hush-0001")
    shop = TINY | {"provider": "shop", "usd_per_mtok": 1}
    configured = settings.Settings(providers="shop=http://127.0.0.1:9/v1, ollama")
    spec = asked(variants={"a": shop, "b": shop | {"provider": "ollama"}})
    variant, other = prepare(spec, records, configured).variants
    assert variant._provider.base_url == "http://127.0.0.1:9/v1"
    assert variant._provider._auth.headers("", b"", {}) == {"Authorization": "Bearer hush-hush-0001"}
    assert other._provider.base_url == "http://127.0.0.1:11434/v1"


def test_a_provider_whose_key_is_missing_is_refused_before_there_is_a_job(records, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SpecError, match="OPENAI_API_KEY"):
        ready(records, variants={"a": TINY, "b": {"provider": "openai", "model": "gpt-4o-mini", "prompt": "{{ n }}"}})


@pytest.mark.parametrize("providers", ["shop", "azure", "ollama, nobody"])
def test_a_server_that_names_a_provider_without_its_address_is_told(records, providers):
    with pytest.raises(SpecError, match="BOXSCORE_PROVIDERS"):
        prepare(asked(), records, settings.Settings(providers=providers))


def test_a_job_has_a_spend_cap_whether_its_spec_says_one_or_not(records, monkeypatch):
    assert checked(asked(), records).spend_cap_usd == 10.0
    assert checked(asked(spend_cap_usd=0.5), records).spend_cap_usd == 0.5
    monkeypatch.setenv("BOXSCORE_SPEND_CAP_USD", "2")
    assert checked(asked(), records).spend_cap_usd == 2.0
    with pytest.raises(SpecError):
        checked(asked(spend_cap_usd=0), records)


def test_what_the_cap_cannot_count_is_refused(records):
    configured = settings.Settings(providers="shop=http://127.0.0.1:9/v1")
    spec = asked(variants={"a": TINY, "b": {"provider": "shop", "model": "nobody-knows", "prompt": "{{ n }}"}})
    with pytest.raises(UnknownPriceError):
        prepare(spec, records, configured)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"concurrency": 65}, "concurrency"),
        ({"concurrency": 0}, "concurrency"),
        ({"limit": 0}, "limit"),
        ({"variants": {"a": TINY | {"timeout_s": 601}, "b": TINY}}, "timeout_s"),
        ({"dataset": [{"inputs": {}}] * 10_001}, "dataset"),
        ({"variants": {"a": TINY}}, "variants"),
        ({"margin": 1}, None),
    ],
)
def test_sizes_and_shapes_are_checked(records, more, key):
    with pytest.raises((SpecError, msgspec.ValidationError)) as refused:
        ready(records, **more)
    assert key is None or key in refused.value.key


def test_a_dataset_of_the_store_is_named_and_one_that_is_not_there_is_said(records):
    with pytest.raises(NotFoundError):
        ready(records, dataset="nobody")
    for path in ("rows.jsonl", "../rows", "/etc/passwd"):
        with pytest.raises(Exception, match="name for a dataset"):
            ready(records, dataset=path)


def test_a_run_is_of_one_variant_and_asks_no_judges(records):
    prepared = ready(records, variant="b", judges={"right": JUDGE}, stop_early=True)
    assert [variant.info.name for variant in prepared.variants] == ["b"]
    assert prepared.judges == []


def test_a_plan_says_what_the_dataset_shows_and_what_it_costs(records):
    shop = {"provider": "openai", "model": "m", "prompt": "{{ n }}", "usd_per_mtok": 100}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "hush-hush-0001")
        found = estimate(asked(variants={"a": shop, "b": TINY}, repeats=2), records)
    assert (found.calls, found.plan.examples, found.plan.calls) == (80, 20, 80)
    assert 0.5 < float(found.usd) < 2.0
    assert found.spend_cap_usd == "10"
