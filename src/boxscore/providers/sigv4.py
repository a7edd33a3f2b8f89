"""Signing requests to Amazon Web Services: whose keys, and their signature.

Reference: AWS Signature Version 4 (IAM user guide, "Create a signed AWS API request").
"""

import configparser
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from boxscore.errors import SpecError
from boxscore.providers.auth import Auth, KeyAuth
from boxscore.providers.secrets import remember

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED = ("content-type", "x-amz-", "x-amzn-bedrock-")
_PORTS = {"http": 80, "https": 443}


class Credentials(msgspec.Struct, frozen=True):
    """Keys of one account; a session token belongs to keys that are valid for some hours only."""

    access_key: str
    secret_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


class SignedAuth:
    """Signs every request with the credentials, as `boxscore.providers.auth.Auth`."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        region: str,
        service: str = "bedrock",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._service = service
        self._now = now
        self.identity = hashlib.sha256(credentials.access_key.encode()).hexdigest()[:16]

    def headers(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        return sign(
            "POST",
            url,
            headers,
            body,
            credentials=self._credentials,
            region=self._region,
            service=self._service,
            now=self._now(),
        )

    def __repr__(self) -> str:
        return f"SignedAuth(region={self._region!r}, service={self._service!r})"


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """The headers to add to a request: `X-Amz-Date`, `Authorization` and, for a session, `X-Amz-Security-Token`.

    `url` is signed as it is written, so it has to be sent as it is written. Of `headers` the content type and
    Amazon's own are signed: proxies may change the others on their way.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Amz-Date": stamp}
    if credentials.session_token:
        added["X-Amz-Security-Token"] = credentials.session_token
    signed = {"host": _host(url)} | {
        name.lower(): " ".join(value.split())
        for name, value in {**headers, **added}.items()
        if name.lower().startswith(_SIGNED)
    }
    names = ";".join(sorted(signed))
    parts = urlsplit(url)
    request = "\n".join(
        (
            method.upper(),
            _path(parts.path),
            _query(parts.query),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    authorization = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return {**added, "Authorization": authorization}


def signed(environ: Mapping[str, str] = os.environ) -> Auth:
    """How Bedrock is asked from here: with the API key in `AWS_BEARER_TOKEN_BEDROCK`, else signed by `credentials`."""
    if token := environ.get("AWS_BEARER_TOKEN_BEDROCK", "").strip():
        remember(token, name="AWS_BEARER_TOKEN_BEDROCK")
        return KeyAuth(token)
    keys = credentials(environ)
    remember(keys.secret_key, name="AWS_SECRET_ACCESS_KEY")
    remember(keys.session_token, name="AWS_SESSION_TOKEN")
    return SignedAuth(keys, region=region(environ))


def credentials(environ: Mapping[str, str] = os.environ) -> Credentials:
    """From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else from the profile `AWS_PROFILE`
    (default: "default") in `AWS_SHARED_CREDENTIALS_FILE` (default: `~/.aws/credentials`). `SpecError` where there are
    none: it says where was looked."""
    access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
    if access_key and secret_key:
        return Credentials(access_key.strip(), secret_key.strip(), environ.get("AWS_SESSION_TOKEN", "").strip() or None)
    path = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    name = environ.get("AWS_PROFILE") or "default"
    profile = _section(path, name)
    access_key, secret_key = profile.get("aws_access_key_id", ""), profile.get("aws_secret_access_key", "")
    if access_key and secret_key:
        return Credentials(access_key, secret_key, profile.get("aws_session_token") or None)
    raise SpecError(
        "no AWS credentials: looked for AWS_BEARER_TOKEN_BEDROCK, for AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, "
        f"and for keys of the profile {name!r} in {path}. Set one of them; where you log in otherwise (SSO, a role), "
        '`eval "$(aws configure export-credentials --format env)"` does.',
        key="provider",
    )


def region(environ: Mapping[str, str] = os.environ) -> str:
    """From `AWS_REGION` or `AWS_DEFAULT_REGION`, else that of the profile in `AWS_CONFIG_FILE` (default:
    `~/.aws/config`). `SpecError` where there is none."""
    if told := environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"):
        return told.strip()
    path = Path(environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    name = environ.get("AWS_PROFILE") or "default"
    if found := _section(path, "default" if name == "default" else f"profile {name}").get("region"):
        return found
    raise SpecError(
        f"no AWS region: looked for AWS_REGION, AWS_DEFAULT_REGION and the profile {name!r} in {path}. "
        "Set one of them, as in `export AWS_REGION=us-east-1`.",
        key="provider",
    )


def _section(path: Path, name: str) -> Mapping[str, str]:
    """A section of one of Amazon's files; nothing where there is no such file or section."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        # Its message would quote the line, which may be a key.
        raise SpecError(f"cannot be read: {type(error).__name__}.", key="provider", path=path) from None
    return parser[name] if parser.has_section(name) else {}


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def _path(path: str) -> str:
    """The path in canonical form: no `.`, `..` or empty segments, and what is quoted already quoted once more."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    tail = "/" if segments and path.endswith("/") else ""
    return quote(f"/{'/'.join(segments)}{tail}", safe="/~")


def _query(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&")) if query else []
    return "&".join(f"{key}={value}" for key, value in pairs)
