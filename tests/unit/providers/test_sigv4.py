"""Signatures are those of Amazon's own signer, and keys are found where people keep them and never shown."""

import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import SpecError
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.secrets import mask
from boxscore.providers.sigv4 import Credentials, SignedAuth, credentials, region, sign, signed

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF), min_size=1, max_size=30)
models = st.one_of(
    st.sampled_from(
        (
            "anthropic.claude-3-haiku-20240307-v1:0",
            "arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0",
            "us.amazon.nova-lite-v1:0",
        )
    ),
    printable,
)
paths = st.one_of(
    models.map(lambda model: Bedrock().path(model, stream=True)),
    st.lists(st.one_of(st.sampled_from(["", ".", "..", "a b", "%41", "~x", "a+b", "*"]), printable.map(quote))).map(
        lambda parts: "/" + "/".join(part.replace(" ", "%20") for part in parts)
    ),
)
queries = st.lists(
    st.tuples(
        st.from_regex(r"[A-Za-z0-9_%.~-]{1,6}", fullmatch=True),
        st.from_regex(r"[A-Za-z0-9_%.~=-]{0,6}", fullmatch=True),
    )
).map(lambda pairs: "&".join(f"{key}={value}" for key, value in pairs))
hosts = st.sampled_from(
    (
        "https://bedrock-runtime.eu-central-1.amazonaws.com",
        "https://Example.COM:443",
        "http://127.0.0.1:8080",
        "http://[::1]:80",
        "https://[::1]:8443",
    )
)
secrets = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)


@settings(deadline=None)
@given(
    host=hosts,
    path=paths,
    query=queries,
    body=st.binary(max_size=100),
    session_token=st.none() | secrets,
    secret_key=secrets,
    now=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)),  # noqa: DTZ001
    content_type=st.sampled_from(("application/json", "  application/json;   charset=utf-8 ")),
)
def test_the_signature_is_that_of_amazons_own_signer(
    host: str,
    path: str,
    query: str,
    body: bytes,
    session_token: str | None,
    secret_key: str,
    now: datetime,
    content_type: str,
) -> None:
    url = f"{host}{path}{'?' + query if query else ''}"
    keys = Credentials("AKIDEXAMPLE", secret_key, session_token)
    headers = {"Content-Type": content_type, "X-Amzn-Bedrock-Trace": "ENABLED"}
    moment = now.replace(microsecond=0, tzinfo=UTC)

    ours = sign("POST", url, headers, body, credentials=keys, region="eu-central-1", service="bedrock", now=moment)

    assert ours == _botocores(url, headers, body, keys, moment)


def test_the_example_of_amazons_test_suite_has_the_published_signature() -> None:
    """`post-vanilla` of the aws-sig-v4-test-suite."""
    moment = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)

    headers = sign(
        "POST",
        "https://example.amazonaws.com/",
        {},
        b"",
        credentials=KEYS,
        region="us-east-1",
        service="service",
        now=moment,
    )

    assert headers["Authorization"].endswith("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")


def test_headers_that_proxies_change_are_not_signed() -> None:
    auth = SignedAuth(KEYS, region="us-east-1", now=lambda: NOON)
    sent = {"Content-Type": "application/json", "Accept": "a", "User-Agent": "boxscore"}

    assert "SignedHeaders=content-type;host;x-amz-date," in auth.headers("https://h/", b"", sent)["Authorization"]


def test_keys_come_from_the_environment_first(tmp_path: Path) -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret ",
        "AWS_SESSION_TOKEN": "token",
        "AWS_PROFILE": "other",
        "AWS_SHARED_CREDENTIALS_FILE": str(_file(tmp_path / "credentials")),
    }

    assert credentials(environ) == Credentials("AKID", "secret", "token")


@pytest.mark.parametrize(
    ("profile", "due"),
    [({}, Credentials("AKIDDEFAULT", "s%1")), ({"AWS_PROFILE": "work"}, Credentials("AKIDWORK", "s2", "t2"))],
)
def test_else_from_the_profile_in_amazons_file(tmp_path: Path, profile: dict[str, str], due: Credentials) -> None:
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(_file(tmp_path / "credentials")), **profile}

    assert credentials(environ) == due


def test_without_keys_the_error_says_where_was_looked(tmp_path: Path) -> None:
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_PROFILE": "work"}

    with pytest.raises(SpecError) as caught:
        credentials(environ)

    for place in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "'work'", str(tmp_path / "none"), "SSO"):
        assert place in str(caught.value)


def test_the_region_is_that_of_the_environment_else_of_the_profile(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-1\n[profile work]\nregion = us-west-2\n")
    file = {"AWS_CONFIG_FILE": str(config)}

    assert region({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}) == "a"
    assert region({"AWS_DEFAULT_REGION": "b", **file}) == "b"
    assert region(file) == "eu-west-1"
    assert region({"AWS_PROFILE": "work", **file}) == "us-west-2"
    with pytest.raises(SpecError, match="export AWS_REGION=us-east-1"):
        region({"AWS_CONFIG_FILE": str(tmp_path / "none")})


def test_an_api_key_for_bedrock_is_sent_as_it_is() -> None:
    auth = signed({"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-x", "AWS_ACCESS_KEY_ID": "AKID"})

    assert auth.headers("https://h/", b"", {}) == {"Authorization": "Bearer bedrock-api-key-x"}


def test_keys_are_masked_in_whatever_is_shown_wherever_they_came_from(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    keys = ("aws_secret_access_key = profile/secret+1", "aws_session_token = profile/token+1")
    file.write_text("\n".join(("[default]", "aws_access_key_id = AKID", *keys)))
    signed({"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_REGION": "us-east-1"})
    signed({"AWS_BEARER_TOKEN_BEDROCK": "bearer/token+1"})

    shown = mask("profile/secret+1, profile/token+1, bearer/token+1")

    assert shown == "[AWS_SECRET_ACCESS_KEY], [AWS_SESSION_TOKEN], [AWS_BEARER_TOKEN_BEDROCK]"


def test_two_accounts_are_told_apart_and_one_is_itself() -> None:
    other = Credentials("AKIDOTHER", KEYS.secret_key)

    assert SignedAuth(KEYS, region="a").identity == SignedAuth(KEYS, region="b").identity
    assert SignedAuth(KEYS, region="a").identity != SignedAuth(other, region="a").identity


@pytest.mark.parametrize("show", [repr, str, lambda keys: f"{keys}", lambda keys: f"{[keys]}"])
def test_no_key_is_ever_shown(show: Callable[[object], str]) -> None:
    keys = Credentials("AKIDEXAMPLE", "the-secret", "the-token")

    for thing in (keys, SignedAuth(keys, region="us-east-1")):
        assert "AKIDEXAMPLE" not in show(thing)
        assert "the-" not in show(thing)


def test_a_broken_file_is_named_without_its_lines(tmp_path: Path) -> None:
    broken = tmp_path / "credentials"
    broken.write_text("aws_secret_access_key = the-secret\n")

    with pytest.raises(SpecError) as caught:
        credentials({"AWS_SHARED_CREDENTIALS_FILE": str(broken)})

    shown = "".join(traceback.format_exception(caught.value))
    assert str(broken) in str(caught.value)
    assert "the-secret" not in shown


def _file(path: Path) -> Path:
    path.write_text(
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s%1\n\n"
        "[work]\naws_access_key_id=AKIDWORK\naws_secret_access_key=s2\naws_session_token=t2\n"
    )
    return path


def _botocores(url: str, headers: dict[str, str], body: bytes, keys: Credentials, moment: datetime) -> dict[str, str]:
    request = botocore.awsrequest.AWSRequest(method="POST", url=url, headers=dict(headers), data=body)
    peer = botocore.credentials.Credentials(keys.access_key, keys.secret_key, keys.session_token)
    signer = botocore.auth.SigV4Auth(peer, "bedrock", "eu-central-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moment)
        signer.add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in headers}
