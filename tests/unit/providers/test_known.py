"""Providers by name: where they are, what they are sent, and whose key it is."""

import asyncio

import pytest

from boxscore.errors import SpecError
from boxscore.providers import Message, Request
from boxscore.providers.known import KNOWN, connect
from boxscore.providers.secrets import mask
from boxscore.providers.transport import Reply, check_url

KEY = "key-of-a-test-0123456789"


class Recorder:
    """A transport that keeps what it is given and answers nothing of use."""

    def __init__(self):
        self.sent = []

    async def post(self, url, body, *, headers, name, on_chunk=None):
        self.sent.append((url, headers))
        return Reply(status=200, headers={}, body=b"{}", wall_s=0.0)

    async def close(self):
        pass


def sent(name, **options):
    """Where a question goes, and its headers in small letters."""
    transport = Recorder()
    provider = connect(name, transport=transport, **options)
    asking = provider.complete(Request(messages=(Message(role="user", content="?"),), model="m"))
    asyncio.run(_quiet(asking))
    url, headers = transport.sent[0]
    return url, {key.lower(): value for key, value in headers.items()}


async def _quiet(asking):
    await asyncio.gather(asking, return_exceptions=True)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for known in KNOWN.values():
        if known.key_env:
            monkeypatch.setenv(known.key_env, KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return monkeypatch


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_provider_can_be_asked_with_its_name_and_key_alone(name):
    known = KNOWN[name]
    url, headers = sent(name, base_url=None if known.base_url else "https://mine.example")

    check_url(url, key="url")
    assert url.startswith(("https://", "http://127.0.0.1:"))
    assert "{" not in url
    carried = [key for key, value in headers.items() if KEY in value]
    assert bool(carried) == (known.key_env is not None) or "Signature=" in headers["authorization"]


@pytest.mark.parametrize(
    ("name", "url", "header", "value"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions", "authorization", f"Bearer {KEY}"),
        ("anthropic", "https://api.anthropic.com/v1/messages", "x-api-key", KEY),
        (
            "google",
            "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
            "x-goog-api-key",
            KEY,
        ),
        ("cohere", "https://api.cohere.com/v2/chat", "authorization", f"Bearer {KEY}"),
    ],
)
def test_each_api_is_asked_at_its_own_path_with_its_own_header(name, url, header, value):
    went, headers = sent(name)

    assert (went, headers[header]) == (url, value)


def test_bedrock_is_asked_in_its_region_and_signed():
    url, headers = sent("bedrock")

    assert url == "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=")


def test_another_address_under_a_known_name_is_sent_no_key_unless_one_is_named(environment):
    environment.setenv("MY_KEY", "mine-0123456789")

    assert "authorization" not in sent("openai", base_url="https://other.example/v1")[1]
    named = sent("openai", base_url="https://other.example/v1", key_env="MY_KEY")[1]
    assert named["authorization"] == "Bearer mine-0123456789"


@pytest.mark.parametrize(
    ("api", "header"),
    [
        (None, "authorization"),
        ("chat", "authorization"),
        ("responses", "authorization"),
        ("messages", "x-api-key"),
        ("gemini", "x-goog-api-key"),
    ],
)
def test_a_provider_of_ones_own_takes_its_key_as_its_api_does(api, header):
    headers = sent("mine", base_url="https://mine.example/v1", api=api, key=KEY)[1]

    assert KEY in headers[header]


def test_a_query_in_an_address_stays_at_its_end():
    url, _ = sent("azure", base_url="https://r.openai.azure.com/openai/deployments/d/?api-version=2024-10-21")

    assert url == "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(("name", "path"), [("openai", "/chat/completions"), ("anthropic", "/messages/")])
@pytest.mark.parametrize("query", ["", "?api-version=2"])
def test_an_address_copied_with_its_path_is_asked_at_that_path_once(name, path, query):
    url, _ = sent(name, base_url=f"https://mine.example/v1{path}{query}")

    assert url == f"https://mine.example/v1{path.rstrip('/')}{query}"


def test_a_query_in_an_address_joins_that_of_the_api():
    url, _ = sent("google", base_url="https://mine.example/v1?tenant=a", stream=True)

    assert url == "https://mine.example/v1/models/m:streamGenerateContent?alt=sse&tenant=a"


def test_a_key_that_was_read_from_a_file_is_sent_without_its_line_end():
    _, headers = sent("openai", key=f"{KEY}\n")

    assert headers["authorization"] == f"Bearer {KEY}"


def test_a_key_that_is_no_secret_leaves_other_words_alone(environment):
    environment.setenv("LOCAL", "x")
    connect("mine", base_url="https://mine.example", key_env="LOCAL")

    assert mask("x exceeded its max") == "[LOCAL] exceeded its max"


def test_a_key_is_masked_by_the_name_of_its_variable(environment):
    environment.setenv("LOCAL_PLACE", "an-odd-key-4711")
    connect("mine", base_url="https://mine.example", key_env="LOCAL_PLACE")

    assert mask("an-odd-key-4711 is wrong") == "[LOCAL_PLACE] is wrong"


@pytest.mark.parametrize(
    "url", ["https://me:hunter2pass@no host/", "https://mine.example/v1?api_key=hunter2pass", "ftp://me:hunter2pass@h/"]
)
def test_an_address_that_holds_a_secret_is_refused_without_showing_it(url):
    with pytest.raises(SpecError) as caught:
        check_url(url, key="base_url")

    assert "hunter2pass" not in str(caught.value)


def test_a_key_that_was_given_is_never_shown():
    provider = connect("mine", base_url="https://mine.example", key="oddly-formed key")

    assert "oddly-formed" not in repr(provider)
    assert "oddly-formed" not in mask("they said: oddly-formed key is wrong")


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"name": "mine"}, "base_url"),
        ({"name": "openai", "api": "smoke-signals"}, "api"),
        ({"name": "mine", "base_url": "mine.example/v1"}, "base_url"),
        ({"name": "mine", "base_url": "https://me:pass@mine.example"}, "base_url"),
        ({"name": "mine", "base_url": "https://mine.example", "key_env": "NO_SUCH_KEY"}, "api_key_env"),
        ({"name": "mine", "base_url": "https://mine.example", "key_env": "sk-0123456789abcdef"}, "api_key_env"),
    ],
)
def test_what_is_missing_or_wrong_is_said_before_the_first_call(options, key):
    with pytest.raises(SpecError) as caught:
        connect(**options)

    assert caught.value.key == key
    assert "sk-0123456789abcdef" not in str(caught.value)


def test_a_key_that_is_not_there_names_its_variable(environment):
    environment.delenv("OPENAI_API_KEY")

    with pytest.raises(SpecError, match="OPENAI_API_KEY is not set: export OPENAI_API_KEY="):
        connect("openai")
